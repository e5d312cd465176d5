-- Contents that artwork is made of: sellers' drawings, and pictures of buyers.

CREATE TABLE artwork_contents (
  merchant_id TEXT    NOT NULL REFERENCES merchants (id),
  sha256      TEXT    NOT NULL,
  kind        TEXT    NOT NULL CHECK (kind IN ('template', 'picture')),
  size        INTEGER NOT NULL,
  crc32       INTEGER NOT NULL,
  md5         TEXT    NOT NULL,
  width       INTEGER,
  height      INTEGER,
  created_at  INTEGER NOT NULL,
  -- Nothing yet: forgotten unless it is ordered.
  kept_at     INTEGER,
  PRIMARY KEY (merchant_id, sha256, kind),
  CHECK ((kind = 'picture') = (width IS NOT NULL)),
  CHECK ((kind = 'picture') = (height IS NOT NULL))
) STRICT;
CREATE INDEX artwork_contents_sha256 ON artwork_contents (sha256);
CREATE INDEX artwork_contents_age ON artwork_contents (created_at) WHERE kept_at IS NULL;
CREATE INDEX artwork_contents_unordered ON artwork_contents (merchant_id, size) WHERE kept_at IS NULL;
