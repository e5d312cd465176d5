-- Contents that artwork is made of: sellers' drawings, and pictures of buyers.

CREATE TABLE artwork_contents (
  merchant_id TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
  sha256      TEXT COLLATE "C" NOT NULL,
  kind        TEXT COLLATE "C" NOT NULL CHECK (kind IN ('template', 'picture')),
  size        BIGINT NOT NULL,
  crc32       BIGINT NOT NULL,
  md5         TEXT COLLATE "C" NOT NULL,
  width       BIGINT,
  height      BIGINT,
  created_at  BIGINT NOT NULL,
  -- Nothing yet: forgotten unless it is ordered.
  kept_at     BIGINT,
  PRIMARY KEY (merchant_id, sha256, kind),
  CHECK ((kind = 'picture') = (width IS NOT NULL)),
  CHECK ((kind = 'picture') = (height IS NOT NULL))
);
CREATE INDEX artwork_contents_sha256 ON artwork_contents (sha256);
CREATE INDEX artwork_contents_age ON artwork_contents (created_at) WHERE kept_at IS NULL;
CREATE INDEX artwork_contents_unordered ON artwork_contents (merchant_id, size) WHERE kept_at IS NULL;
