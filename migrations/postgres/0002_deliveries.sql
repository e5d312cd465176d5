-- What is made for a unit beside the files of its product: what is under way, and what came of it.

CREATE TABLE unit_parts (
  line_id     TEXT COLLATE "C" NOT NULL,
  unit_no     BIGINT NOT NULL,
  part        TEXT COLLATE "C" NOT NULL,
  -- What of the part this is about, such as a version of a file; empty for the whole.
  subject     TEXT COLLATE "C" NOT NULL,
  merchant_id TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
  order_id    TEXT COLLATE "C" NOT NULL REFERENCES orders (id),
  state       TEXT COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'done', 'held', 'left_out')),
  detail      TEXT COLLATE "C" NOT NULL,
  created_at  BIGINT NOT NULL,
  changed_at  BIGINT NOT NULL,
  PRIMARY KEY (line_id, unit_no, part, subject),
  FOREIGN KEY (line_id, unit_no) REFERENCES units (line_id, unit_no)
);
CREATE INDEX unit_parts_order ON unit_parts (order_id);
CREATE INDEX unit_parts_open ON unit_parts (merchant_id, part, created_at) WHERE state IN ('waiting', 'held');

-- Contents that only this unit has. One that replaces a file of the product is handed out in its stead.
CREATE TABLE unit_files (
  line_id         TEXT COLLATE "C" NOT NULL,
  unit_no         BIGINT NOT NULL,
  position        BIGINT NOT NULL,
  merchant_id     TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
  part            TEXT COLLATE "C" NOT NULL,
  file_version_id TEXT COLLATE "C" NOT NULL REFERENCES file_versions (id),
  replaces_id     TEXT COLLATE "C" REFERENCES file_versions (id),
  created_at      BIGINT NOT NULL,
  PRIMARY KEY (line_id, unit_no, position),
  UNIQUE (line_id, unit_no, replaces_id),
  FOREIGN KEY (line_id, unit_no) REFERENCES units (line_id, unit_no)
);
CREATE INDEX unit_files_version ON unit_files (file_version_id);

-- What the buyer is told of a unit: a login, a tracking number. Sealed by the key ring.
CREATE TABLE unit_texts (
  line_id     TEXT COLLATE "C" NOT NULL,
  unit_no     BIGINT NOT NULL,
  part        TEXT COLLATE "C" NOT NULL,
  position    BIGINT NOT NULL,
  merchant_id TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
  label       TEXT COLLATE "C" NOT NULL,
  text_sealed BYTEA NOT NULL,
  created_at  BIGINT NOT NULL,
  PRIMARY KEY (line_id, unit_no, part, position),
  FOREIGN KEY (line_id, unit_no) REFERENCES units (line_id, unit_no)
);

-- The secrets of a unit's archive, where it is protected. Sealed by the key ring; a password that the buyer chooses is
-- not there before.
CREATE TABLE unit_archives (
  line_id         TEXT COLLATE "C" NOT NULL,
  unit_no         BIGINT NOT NULL,
  merchant_id     TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
  seed_sealed     BYTEA NOT NULL,
  password_sealed BYTEA,
  created_at      BIGINT NOT NULL,
  PRIMARY KEY (line_id, unit_no),
  FOREIGN KEY (line_id, unit_no) REFERENCES units (line_id, unit_no)
);

-- What a visitor chose and filled in for a product, until it is ordered or forgotten.
CREATE TABLE choices (
  id          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  merchant_id TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
  product_id  TEXT COLLATE "C" NOT NULL REFERENCES products (id),
  attributes  TEXT COLLATE "C" NOT NULL CHECK (attributes::json IS NOT NULL),
  inputs      TEXT COLLATE "C" NOT NULL CHECK (inputs::json IS NOT NULL),
  created_at  BIGINT NOT NULL
);
CREATE INDEX choices_age ON choices (created_at);
