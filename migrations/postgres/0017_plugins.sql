-- Endpoints of other systems that hand something over for a merchant.
CREATE TABLE plugins (
  id            TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  merchant_id   TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
  name          TEXT COLLATE "C" NOT NULL,
  url           TEXT COLLATE "C" NOT NULL,
  secret_sealed BYTEA NOT NULL,
  created_at    BIGINT NOT NULL,
  UNIQUE (merchant_id, name)
);
