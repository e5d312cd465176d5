-- What gateways call the checkouts that they were asked to open, and when each is asked about next.
CREATE TABLE checkouts (
  connection_id TEXT NOT NULL REFERENCES connections (id),
  session_ref   TEXT NOT NULL,
  merchant_id   TEXT NOT NULL REFERENCES merchants (id),
  order_id      TEXT NOT NULL REFERENCES orders (id),
  opened_at     INTEGER NOT NULL,
  ask_at        INTEGER,
  PRIMARY KEY (connection_id, session_ref)
) STRICT;
CREATE INDEX checkouts_order ON checkouts (order_id);
CREATE INDEX checkouts_due ON checkouts (ask_at) WHERE ask_at IS NOT NULL;

-- How far the news of a connection are known, and when its gateway is asked next.
CREATE TABLE polls (
  connection_id TEXT NOT NULL PRIMARY KEY REFERENCES connections (id),
  merchant_id   TEXT NOT NULL REFERENCES merchants (id),
  watermark     INTEGER NOT NULL,
  round_until   INTEGER,
  page_cursor   TEXT,
  newest        INTEGER,
  answered_at   INTEGER,
  failures      INTEGER NOT NULL,
  trouble       TEXT NOT NULL,
  ask_at        INTEGER NOT NULL
) STRICT;
