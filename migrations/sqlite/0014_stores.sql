-- The stores that contents lie in: how each stands, what it lacks, and who carries downloads.

CREATE INDEX file_versions_sha256 ON file_versions (sha256);

-- How a store stood when it was last asked, and what its last check found.
CREATE TABLE store_states (
  name            TEXT    NOT NULL PRIMARY KEY,
  asked_at        INTEGER NOT NULL,
  away_since      INTEGER,
  away_why        TEXT    NOT NULL,
  checked_at      INTEGER,
  check_depth     TEXT    CHECK (check_depth IN ('presence', 'content')),
  check_contents  INTEGER NOT NULL,
  check_defects   INTEGER NOT NULL,
  CHECK ((checked_at IS NULL) = (check_depth IS NULL))
) STRICT;

-- A content that a store should have and has not, or has damaged; once it is mended, when.
CREATE TABLE store_troubles (
  store     TEXT    NOT NULL,
  sha256    TEXT    NOT NULL REFERENCES blobs (sha256),
  defect    TEXT    NOT NULL CHECK (defect IN ('missing', 'damaged')),
  detail    TEXT    NOT NULL,
  found_at  INTEGER NOT NULL,
  tried_at  INTEGER NOT NULL,
  mended_at INTEGER,
  PRIMARY KEY (store, sha256)
) STRICT;
CREATE INDEX store_troubles_open ON store_troubles (tried_at) WHERE mended_at IS NULL;
CREATE INDEX store_troubles_sha256 ON store_troubles (sha256);

-- Whether a merchant's downloads are sent on to a bucket. Without a row all go through us.
CREATE TABLE shop_delivery (
  merchant_id TEXT    NOT NULL PRIMARY KEY REFERENCES merchants (id),
  way         TEXT    NOT NULL CHECK (way IN ('through_us', 'redirect')),
  changed_at  INTEGER NOT NULL
) STRICT;

-- How often a session's file was left to somebody else to deliver. The first time spent its place.
CREATE TABLE hand_overs (
  download_id TEXT    NOT NULL PRIMARY KEY REFERENCES downloads (id),
  merchant_id TEXT    NOT NULL REFERENCES merchants (id),
  times       INTEGER NOT NULL CHECK (times > 0),
  first_at    INTEGER NOT NULL,
  last_at     INTEGER NOT NULL
) STRICT;
