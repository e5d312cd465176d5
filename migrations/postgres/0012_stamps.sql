-- Copies that were made out to a buyer. The code is all that is in the file: whose copy it is, only this table says.
-- One copy of a file for each unit; rows stay when access ends, since files leak later.
CREATE TABLE stamps (
  code            BYTEA   NOT NULL PRIMARY KEY CHECK (length(code) = 10),
  merchant_id     TEXT    COLLATE "C" NOT NULL REFERENCES merchants (id),
  order_id        TEXT    COLLATE "C" NOT NULL REFERENCES orders (id),
  line_id         TEXT    COLLATE "C" NOT NULL,
  unit_no         BIGINT  NOT NULL,
  file_version_id TEXT    COLLATE "C" NOT NULL REFERENCES file_versions (id),
  made_at         BIGINT  NOT NULL,
  UNIQUE (line_id, unit_no, file_version_id),
  FOREIGN KEY (line_id, unit_no) REFERENCES units (line_id, unit_no)
);
CREATE INDEX stamps_version ON stamps (file_version_id);
