-- Assets: contents deflated once, updates until a day, uploads that can be gone on with.

-- What came of deflating a content: the deflated stream, a blob of its own, or nothing that pays.
CREATE TABLE packed (
  sha256        TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES blobs (sha256),
  form          TEXT COLLATE "C" NOT NULL CHECK (form IN ('deflated', 'stored')),
  packed_sha256 TEXT COLLATE "C" REFERENCES blobs (sha256),
  packed_at     BIGINT NOT NULL,
  CHECK ((form = 'deflated') = (packed_sha256 IS NOT NULL))
);
CREATE INDEX packed_packed ON packed (packed_sha256) WHERE packed_sha256 IS NOT NULL;

-- Which stream an archive that has begun has in a file's place; none: the file as it is.
ALTER TABLE download_files ADD COLUMN packed_sha256 TEXT COLLATE "C" REFERENCES blobs (sha256);

-- As on SQLite, where a column's check cannot be changed: the column is made anew.
ALTER TABLE products ADD COLUMN new_policy TEXT COLLATE "C" NOT NULL DEFAULT 'as_bought'
  CHECK (new_policy IN ('as_bought', 'latest', 'updates_until'));
UPDATE products SET new_policy = file_policy;
ALTER TABLE products DROP COLUMN file_policy;
ALTER TABLE products RENAME COLUMN new_policy TO file_policy;
-- For how many days from the purchase a buyer gets new versions.
ALTER TABLE products ADD COLUMN update_days BIGINT CHECK (update_days > 0)
  CHECK ((update_days IS NOT NULL) = (file_policy = 'updates_until'));
ALTER TABLE order_lines ADD COLUMN update_days BIGINT CHECK (update_days > 0)
  CHECK ((update_days IS NOT NULL) = (file_policy = 'updates_until'));

-- Contents that arrive in pieces. The bytes grow in the blob store, under the upload's id.
CREATE TABLE uploads (
  id              TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  merchant_id     TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
  product_id      TEXT COLLATE "C" NOT NULL REFERENCES products (id),
  product_file_id TEXT COLLATE "C" REFERENCES product_files (id),
  name            TEXT COLLATE "C" NOT NULL,
  size            BIGINT CHECK (size >= 0),
  received        BIGINT NOT NULL CHECK (received >= 0),
  file_version_id TEXT COLLATE "C" REFERENCES file_versions (id),
  created_at      BIGINT NOT NULL,
  touched_at      BIGINT NOT NULL
);
CREATE INDEX uploads_idle ON uploads (touched_at);
