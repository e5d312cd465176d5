-- Access data taken from lists, streams, tickets, and the keys of buyers.

-- What is handed out one by one: each entry to one unit, once, and never again.
CREATE TABLE access_entries (
  id          TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
  merchant_id TEXT COLLATE "C"    NOT NULL REFERENCES merchants (id),
  product_id  TEXT COLLATE "C"    NOT NULL REFERENCES products (id),
  text_sealed BYTEA    NOT NULL,
  -- A keyed hash of the text: finds what was imported twice, and tells nothing.
  text_code   BYTEA    NOT NULL,
  line_id     TEXT COLLATE "C",
  unit_no     BIGINT,
  imported_at BIGINT NOT NULL,
  taken_at    BIGINT,
  removed_at  BIGINT,
  UNIQUE (product_id, text_code),
  UNIQUE (line_id, unit_no),
  FOREIGN KEY (line_id, unit_no) REFERENCES units (line_id, unit_no),
  CHECK ((line_id IS NULL) = (unit_no IS NULL)),
  CHECK ((line_id IS NULL) = (taken_at IS NULL)),
  CHECK (taken_at IS NULL OR removed_at IS NULL)
);
CREATE INDEX access_entries_free ON access_entries (product_id, id) WHERE taken_at IS NULL AND removed_at IS NULL;
CREATE INDEX access_entries_product ON access_entries (product_id, id);

-- Below how many free entries of a product's list somebody is told.
CREATE TABLE access_lists (
  product_id  TEXT COLLATE "C"    NOT NULL PRIMARY KEY REFERENCES products (id),
  merchant_id TEXT COLLATE "C"    NOT NULL REFERENCES merchants (id),
  low_water   BIGINT NOT NULL CHECK (low_water >= 0)
);
CREATE INDEX access_lists_merchant ON access_lists (merchant_id, product_id);

-- What the server of a product's stream knows our signatures by.
CREATE TABLE stream_secrets (
  product_id    TEXT COLLATE "C"    NOT NULL PRIMARY KEY REFERENCES products (id),
  merchant_id   TEXT COLLATE "C"    NOT NULL REFERENCES merchants (id),
  secret_sealed BYTEA    NOT NULL,
  made_at       BIGINT NOT NULL
);

-- How often a stream was opened by each right to it.
CREATE TABLE stream_visits (
  grant_id        TEXT COLLATE "C"    NOT NULL PRIMARY KEY REFERENCES grants (id),
  merchant_id     TEXT COLLATE "C"    NOT NULL REFERENCES merchants (id),
  opened          BIGINT NOT NULL CHECK (opened >= 1),
  first_opened_at BIGINT NOT NULL,
  last_opened_at  BIGINT NOT NULL,
  last_address    TEXT COLLATE "C"    NOT NULL
);

-- What tickets admit to. `taken` is never less than the places that are held and kept, so a place
-- is had by one conditional UPDATE; where it says that none is left, it is counted afresh.
CREATE TABLE ticket_events (
  id          TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
  merchant_id TEXT COLLATE "C"    NOT NULL REFERENCES merchants (id),
  title       TEXT COLLATE "C"    NOT NULL,
  place       TEXT COLLATE "C"    NOT NULL,
  starts_at   BIGINT NOT NULL,
  ends_at     BIGINT NOT NULL,
  time_zone   TEXT COLLATE "C"    NOT NULL,
  capacity    BIGINT NOT NULL CHECK (capacity >= 0),
  taken       BIGINT NOT NULL CHECK (taken >= 0),
  last_number BIGINT NOT NULL CHECK (last_number >= 0),
  created_at  BIGINT NOT NULL,
  updated_at  BIGINT NOT NULL,
  version     BIGINT NOT NULL,
  CHECK (ends_at > starts_at)
);
CREATE INDEX ticket_events_merchant ON ticket_events (merchant_id, starts_at, id);

-- The places of an order's line: held while its buyer pays, kept once money is on its way or there,
-- released when it did not come, over when it came after the last place was gone.
CREATE TABLE ticket_holds (
  line_id      TEXT COLLATE "C"    NOT NULL PRIMARY KEY REFERENCES order_lines (id),
  merchant_id  TEXT COLLATE "C"    NOT NULL REFERENCES merchants (id),
  order_id     TEXT COLLATE "C"    NOT NULL REFERENCES orders (id),
  event_id     TEXT COLLATE "C"    NOT NULL REFERENCES ticket_events (id),
  places       BIGINT NOT NULL CHECK (places >= 1),
  state        TEXT COLLATE "C"    NOT NULL CHECK (state IN ('held', 'kept', 'released', 'over')),
  held_until   BIGINT NOT NULL,
  first_number BIGINT NOT NULL CHECK (first_number >= 1),
  nonce        BYTEA    NOT NULL,
  ring_key     BIGINT NOT NULL,
  created_at   BIGINT NOT NULL,
  UNIQUE (event_id, first_number)
);
CREATE INDEX ticket_holds_order ON ticket_holds (order_id);
CREATE INDEX ticket_holds_lapsing ON ticket_holds (event_id, held_until) WHERE state = 'held';
CREATE INDEX ticket_holds_over ON ticket_holds (merchant_id, event_id) WHERE state = 'over';

-- Who is in. A row that is taken back is gone; the log has both.
CREATE TABLE ticket_check_ins (
  grant_id      TEXT COLLATE "C"    NOT NULL PRIMARY KEY REFERENCES grants (id),
  merchant_id   TEXT COLLATE "C"    NOT NULL REFERENCES merchants (id),
  event_id      TEXT COLLATE "C"    NOT NULL REFERENCES ticket_events (id),
  checked_in_at BIGINT NOT NULL,
  checked_in_by TEXT COLLATE "C"    NOT NULL
);
CREATE INDEX ticket_check_ins_event ON ticket_check_ins (event_id, checked_in_at);

-- The public key that a line's files are encrypted to.
CREATE TABLE buyer_keys (
  line_id     TEXT COLLATE "C"    NOT NULL PRIMARY KEY REFERENCES order_lines (id),
  merchant_id TEXT COLLATE "C"    NOT NULL REFERENCES merchants (id),
  public_key  TEXT COLLATE "C"    NOT NULL,
  given_at    BIGINT NOT NULL
);
