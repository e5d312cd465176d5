-- What is made for a unit beside the files of its product: what is under way, and what came of it.

CREATE TABLE unit_parts (
  line_id     TEXT    NOT NULL,
  unit_no     INTEGER NOT NULL,
  part        TEXT    NOT NULL,
  -- What of the part this is about, such as a version of a file; empty for the whole.
  subject     TEXT    NOT NULL,
  merchant_id TEXT    NOT NULL REFERENCES merchants (id),
  order_id    TEXT    NOT NULL REFERENCES orders (id),
  state       TEXT    NOT NULL CHECK (state IN ('waiting', 'done', 'held', 'left_out')),
  detail      TEXT    NOT NULL,
  created_at  INTEGER NOT NULL,
  changed_at  INTEGER NOT NULL,
  PRIMARY KEY (line_id, unit_no, part, subject),
  FOREIGN KEY (line_id, unit_no) REFERENCES units (line_id, unit_no)
) STRICT;
CREATE INDEX unit_parts_order ON unit_parts (order_id);
CREATE INDEX unit_parts_open ON unit_parts (merchant_id, part, created_at) WHERE state IN ('waiting', 'held');

-- Contents that only this unit has. One that replaces a file of the product is handed out in its stead.
CREATE TABLE unit_files (
  line_id         TEXT    NOT NULL,
  unit_no         INTEGER NOT NULL,
  position        INTEGER NOT NULL,
  merchant_id     TEXT    NOT NULL REFERENCES merchants (id),
  part            TEXT    NOT NULL,
  file_version_id TEXT    NOT NULL REFERENCES file_versions (id),
  replaces_id     TEXT    REFERENCES file_versions (id),
  created_at      INTEGER NOT NULL,
  PRIMARY KEY (line_id, unit_no, position),
  UNIQUE (line_id, unit_no, replaces_id),
  FOREIGN KEY (line_id, unit_no) REFERENCES units (line_id, unit_no)
) STRICT;
CREATE INDEX unit_files_version ON unit_files (file_version_id);

-- What the buyer is told of a unit: a login, a tracking number. Sealed by the key ring.
CREATE TABLE unit_texts (
  line_id     TEXT    NOT NULL,
  unit_no     INTEGER NOT NULL,
  part        TEXT    NOT NULL,
  position    INTEGER NOT NULL,
  merchant_id TEXT    NOT NULL REFERENCES merchants (id),
  label       TEXT    NOT NULL,
  text_sealed BLOB    NOT NULL,
  created_at  INTEGER NOT NULL,
  PRIMARY KEY (line_id, unit_no, part, position),
  FOREIGN KEY (line_id, unit_no) REFERENCES units (line_id, unit_no)
) STRICT;

-- The secrets of a unit's archive, where it is protected. Sealed by the key ring; a password that the buyer chooses is
-- not there before.
CREATE TABLE unit_archives (
  line_id         TEXT    NOT NULL,
  unit_no         INTEGER NOT NULL,
  merchant_id     TEXT    NOT NULL REFERENCES merchants (id),
  seed_sealed     BLOB    NOT NULL,
  password_sealed BLOB,
  created_at      INTEGER NOT NULL,
  PRIMARY KEY (line_id, unit_no),
  FOREIGN KEY (line_id, unit_no) REFERENCES units (line_id, unit_no)
) STRICT;

-- What a visitor chose and filled in for a product, until it is ordered or forgotten.
CREATE TABLE choices (
  id          TEXT    NOT NULL PRIMARY KEY,
  merchant_id TEXT    NOT NULL REFERENCES merchants (id),
  product_id  TEXT    NOT NULL REFERENCES products (id),
  attributes  TEXT    NOT NULL CHECK (json_valid(attributes)),
  inputs      TEXT    NOT NULL CHECK (json_valid(inputs)),
  created_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX choices_age ON choices (created_at);
