-- What gateways call the checkouts that they were asked to open, and when each is asked about next.
CREATE TABLE checkouts (
  connection_id TEXT COLLATE "C" NOT NULL REFERENCES connections (id),
  session_ref   TEXT COLLATE "C" NOT NULL,
  merchant_id   TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
  order_id      TEXT COLLATE "C" NOT NULL REFERENCES orders (id),
  opened_at     BIGINT NOT NULL,
  ask_at        BIGINT,
  PRIMARY KEY (connection_id, session_ref)
);
CREATE INDEX checkouts_order ON checkouts (order_id);
CREATE INDEX checkouts_due ON checkouts (ask_at) WHERE ask_at IS NOT NULL;

-- How far the news of a connection are known, and when its gateway is asked next.
CREATE TABLE polls (
  connection_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES connections (id),
  merchant_id   TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
  watermark     BIGINT NOT NULL,
  round_until   BIGINT,
  page_cursor   TEXT COLLATE "C",
  newest        BIGINT,
  answered_at   BIGINT,
  failures      BIGINT NOT NULL,
  trouble       TEXT COLLATE "C" NOT NULL,
  ask_at        BIGINT NOT NULL
);
