-- Access data taken from lists, streams, tickets, and the keys of buyers.

-- What is handed out one by one: each entry to one unit, once, and never again.
CREATE TABLE access_entries (
  id          TEXT    NOT NULL PRIMARY KEY,
  merchant_id TEXT    NOT NULL REFERENCES merchants (id),
  product_id  TEXT    NOT NULL REFERENCES products (id),
  text_sealed BLOB    NOT NULL,
  -- A keyed hash of the text: finds what was imported twice, and tells nothing.
  text_code   BLOB    NOT NULL,
  line_id     TEXT,
  unit_no     INTEGER,
  imported_at INTEGER NOT NULL,
  taken_at    INTEGER,
  removed_at  INTEGER,
  UNIQUE (product_id, text_code),
  UNIQUE (line_id, unit_no),
  FOREIGN KEY (line_id, unit_no) REFERENCES units (line_id, unit_no),
  CHECK ((line_id IS NULL) = (unit_no IS NULL)),
  CHECK ((line_id IS NULL) = (taken_at IS NULL)),
  CHECK (taken_at IS NULL OR removed_at IS NULL)
) STRICT;
CREATE INDEX access_entries_free ON access_entries (product_id, id) WHERE taken_at IS NULL AND removed_at IS NULL;
CREATE INDEX access_entries_product ON access_entries (product_id, id);

-- Below how many free entries of a product's list somebody is told.
CREATE TABLE access_lists (
  product_id  TEXT    NOT NULL PRIMARY KEY REFERENCES products (id),
  merchant_id TEXT    NOT NULL REFERENCES merchants (id),
  low_water   INTEGER NOT NULL CHECK (low_water >= 0)
) STRICT;
CREATE INDEX access_lists_merchant ON access_lists (merchant_id, product_id);

-- What the server of a product's stream knows our signatures by.
CREATE TABLE stream_secrets (
  product_id    TEXT    NOT NULL PRIMARY KEY REFERENCES products (id),
  merchant_id   TEXT    NOT NULL REFERENCES merchants (id),
  secret_sealed BLOB    NOT NULL,
  made_at       INTEGER NOT NULL
) STRICT;

-- How often a stream was opened by each right to it.
CREATE TABLE stream_visits (
  grant_id        TEXT    NOT NULL PRIMARY KEY REFERENCES grants (id),
  merchant_id     TEXT    NOT NULL REFERENCES merchants (id),
  opened          INTEGER NOT NULL CHECK (opened >= 1),
  first_opened_at INTEGER NOT NULL,
  last_opened_at  INTEGER NOT NULL,
  last_address    TEXT    NOT NULL
) STRICT;

-- What tickets admit to. `taken` is never less than the places that are held and kept, so a place
-- is had by one conditional UPDATE; where it says that none is left, it is counted afresh.
CREATE TABLE ticket_events (
  id          TEXT    NOT NULL PRIMARY KEY,
  merchant_id TEXT    NOT NULL REFERENCES merchants (id),
  title       TEXT    NOT NULL,
  place       TEXT    NOT NULL,
  starts_at   INTEGER NOT NULL,
  ends_at     INTEGER NOT NULL,
  time_zone   TEXT    NOT NULL,
  capacity    INTEGER NOT NULL CHECK (capacity >= 0),
  taken       INTEGER NOT NULL CHECK (taken >= 0),
  last_number INTEGER NOT NULL CHECK (last_number >= 0),
  created_at  INTEGER NOT NULL,
  updated_at  INTEGER NOT NULL,
  version     INTEGER NOT NULL,
  CHECK (ends_at > starts_at)
) STRICT;
CREATE INDEX ticket_events_merchant ON ticket_events (merchant_id, starts_at, id);

-- The places of an order's line: held while its buyer pays, kept once money is on its way or there,
-- released when it did not come, over when it came after the last place was gone.
CREATE TABLE ticket_holds (
  line_id      TEXT    NOT NULL PRIMARY KEY REFERENCES order_lines (id),
  merchant_id  TEXT    NOT NULL REFERENCES merchants (id),
  order_id     TEXT    NOT NULL REFERENCES orders (id),
  event_id     TEXT    NOT NULL REFERENCES ticket_events (id),
  places       INTEGER NOT NULL CHECK (places >= 1),
  state        TEXT    NOT NULL CHECK (state IN ('held', 'kept', 'released', 'over')),
  held_until   INTEGER NOT NULL,
  first_number INTEGER NOT NULL CHECK (first_number >= 1),
  nonce        BLOB    NOT NULL,
  ring_key     INTEGER NOT NULL,
  created_at   INTEGER NOT NULL,
  UNIQUE (event_id, first_number)
) STRICT;
CREATE INDEX ticket_holds_order ON ticket_holds (order_id);
CREATE INDEX ticket_holds_lapsing ON ticket_holds (event_id, held_until) WHERE state = 'held';
CREATE INDEX ticket_holds_over ON ticket_holds (merchant_id, event_id) WHERE state = 'over';

-- Who is in. A row that is taken back is gone; the log has both.
CREATE TABLE ticket_check_ins (
  grant_id      TEXT    NOT NULL PRIMARY KEY REFERENCES grants (id),
  merchant_id   TEXT    NOT NULL REFERENCES merchants (id),
  event_id      TEXT    NOT NULL REFERENCES ticket_events (id),
  checked_in_at INTEGER NOT NULL,
  checked_in_by TEXT    NOT NULL
) STRICT;
CREATE INDEX ticket_check_ins_event ON ticket_check_ins (event_id, checked_in_at);

-- The public key that a line's files are encrypted to.
CREATE TABLE buyer_keys (
  line_id     TEXT    NOT NULL PRIMARY KEY REFERENCES order_lines (id),
  merchant_id TEXT    NOT NULL REFERENCES merchants (id),
  public_key  TEXT    NOT NULL,
  given_at    INTEGER NOT NULL
) STRICT;
