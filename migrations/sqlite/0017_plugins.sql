-- Endpoints of other systems that hand something over for a merchant.
CREATE TABLE plugins (
  id            TEXT NOT NULL PRIMARY KEY,
  merchant_id   TEXT NOT NULL REFERENCES merchants (id),
  name          TEXT NOT NULL,
  url           TEXT NOT NULL,
  secret_sealed BLOB NOT NULL,
  created_at    INTEGER NOT NULL,
  UNIQUE (merchant_id, name)
) STRICT;
