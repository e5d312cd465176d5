-- The spine: who sells, what is sold, what was paid, what is owed, what left the house.
-- Times are microseconds UTC. Money is whole minor units beside its currency. Ids are minted
-- by the program and sort by time. The database repeats the rules that the types state.

CREATE TABLE settings (
  name       TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  value      TEXT COLLATE "C" NOT NULL,
  changed_at BIGINT NOT NULL
);

CREATE TABLE merchants (
  id            TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  slug          TEXT COLLATE "C" NOT NULL UNIQUE,
  host          TEXT COLLATE "C" UNIQUE,
  name          TEXT COLLATE "C" NOT NULL,
  legal_name    TEXT COLLATE "C" NOT NULL,
  legal_address TEXT COLLATE "C" NOT NULL,
  country       TEXT COLLATE "C",
  vat_id        TEXT COLLATE "C",
  time_zone     TEXT COLLATE "C" NOT NULL,
  locale        TEXT COLLATE "C" NOT NULL,
  currency      TEXT COLLATE "C" NOT NULL,
  sender_email  TEXT COLLATE "C" NOT NULL,
  support_email TEXT COLLATE "C" NOT NULL,
  alarm_email   TEXT COLLATE "C",
  support_text  TEXT COLLATE "C" NOT NULL,
  consent_text  TEXT COLLATE "C" NOT NULL,
  accent        TEXT COLLATE "C" NOT NULL,
  logo_sha256   TEXT COLLATE "C",
  words         TEXT COLLATE "C" NOT NULL CHECK (words::json IS NOT NULL),
  created_at    BIGINT NOT NULL,
  version       BIGINT NOT NULL
);

CREATE TABLE staff (
  id              TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  merchant_id     TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
  email           TEXT COLLATE "C" NOT NULL,
  name            TEXT COLLATE "C" NOT NULL,
  role            TEXT COLLATE "C" NOT NULL CHECK (role IN ('owner', 'support', 'read_only')),
  password_hash   TEXT COLLATE "C",
  totp_sealed     BYTEA,
  totp_enabled_at BIGINT,
  totp_last_step  BIGINT NOT NULL,
  created_at      BIGINT NOT NULL,
  disabled_at     BIGINT,
  UNIQUE (merchant_id, email)
);

CREATE TABLE customers (
  id          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  merchant_id TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
  email       TEXT COLLATE "C" NOT NULL,
  name        TEXT COLLATE "C" NOT NULL,
  company     TEXT COLLATE "C" NOT NULL,
  address     TEXT COLLATE "C" NOT NULL,
  country     TEXT COLLATE "C",
  vat_id      TEXT COLLATE "C",
  locale      TEXT COLLATE "C" NOT NULL,
  created_at  BIGINT NOT NULL,
  UNIQUE (merchant_id, email)
);
CREATE INDEX customers_merchant ON customers (merchant_id, id);
CREATE INDEX customers_name ON customers (merchant_id, lower(name), id);
CREATE INDEX customers_company ON customers (merchant_id, lower(company), id) WHERE company <> '';

CREATE TABLE sessions (
  id           TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  merchant_id  TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
  token_hash   BYTEA NOT NULL UNIQUE,
  staff_id     TEXT COLLATE "C" REFERENCES staff (id),
  customer_id  TEXT COLLATE "C" REFERENCES customers (id),
  created_at   BIGINT NOT NULL,
  last_seen_at BIGINT NOT NULL,
  expires_at   BIGINT NOT NULL,
  revoked_at   BIGINT,
  address      TEXT COLLATE "C" NOT NULL,
  user_agent   TEXT COLLATE "C" NOT NULL,
  CHECK ((staff_id IS NULL) <> (customer_id IS NULL))
);
CREATE INDEX sessions_over ON sessions (expires_at);
CREATE INDEX sessions_staff ON sessions (staff_id) WHERE staff_id IS NOT NULL;
CREATE INDEX sessions_customer ON sessions (customer_id) WHERE customer_id IS NOT NULL;

-- One-time links that sign somebody in. Looked at by GET, consumed by POST.
CREATE TABLE login_tokens (
  id          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  merchant_id TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
  token_hash  BYTEA NOT NULL UNIQUE,
  staff_id    TEXT COLLATE "C" REFERENCES staff (id),
  customer_id TEXT COLLATE "C" REFERENCES customers (id),
  created_at  BIGINT NOT NULL,
  expires_at  BIGINT NOT NULL,
  consumed_at BIGINT,
  CHECK ((staff_id IS NULL) <> (customer_id IS NULL))
);
CREATE INDEX login_tokens_over ON login_tokens (expires_at);

CREATE TABLE api_keys (
  id           TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  merchant_id  TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
  name         TEXT COLLATE "C" NOT NULL,
  secret_hash  BYTEA NOT NULL UNIQUE,
  scopes       TEXT COLLATE "C" NOT NULL,
  created_at   BIGINT NOT NULL,
  created_by   TEXT COLLATE "C" NOT NULL,
  revoked_at   BIGINT,
  last_used_at BIGINT 
);
CREATE INDEX api_keys_merchant ON api_keys (merchant_id, id);

-- What an API request with this Idempotency-Key was answered. No secret is kept in it.
CREATE TABLE idempotency (
  merchant_id  TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
  api_key_id   TEXT COLLATE "C" NOT NULL REFERENCES api_keys (id),
  key          TEXT COLLATE "C" NOT NULL,
  request_hash BYTEA NOT NULL,
  status       BIGINT NOT NULL,
  response     TEXT COLLATE "C" NOT NULL,
  created_at   BIGINT NOT NULL,
  PRIMARY KEY (api_key_id, key)
);
CREATE INDEX idempotency_age ON idempotency (created_at);

CREATE TABLE connections (
  id             TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  merchant_id    TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
  gateway        TEXT COLLATE "C" NOT NULL,
  mode           TEXT COLLATE "C" NOT NULL CHECK (mode IN ('test', 'live')),
  name           TEXT COLLATE "C" NOT NULL,
  settings       TEXT COLLATE "C" NOT NULL CHECK (settings::json IS NOT NULL),
  secrets_sealed BYTEA NOT NULL,
  created_at     BIGINT NOT NULL,
  disabled_at    BIGINT,
  version        BIGINT NOT NULL
);
CREATE INDEX connections_merchant ON connections (merchant_id, id);

CREATE TABLE products (
  id              TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  merchant_id     TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
  sku             TEXT COLLATE "C" NOT NULL,
  name            TEXT COLLATE "C" NOT NULL,
  description     TEXT COLLATE "C" NOT NULL,
  status          TEXT COLLATE "C" NOT NULL CHECK (status IN ('draft', 'active', 'archived')),
  standard_text   TEXT COLLATE "C" NOT NULL,
  other_text      TEXT COLLATE "C" NOT NULL,
  support_text    TEXT COLLATE "C" NOT NULL,
  link_life       BIGINT NOT NULL CHECK (link_life > 0),
  download_limit  BIGINT NOT NULL CHECK (download_limit > 0),
  file_policy     TEXT COLLATE "C" NOT NULL CHECK (file_policy IN ('as_bought', 'latest')),
  pending_policy  TEXT COLLATE "C" NOT NULL CHECK (pending_policy IN ('nothing', 'provisional')),
  deliverables    TEXT COLLATE "C" NOT NULL CHECK (deliverables::json IS NOT NULL),
  created_at      BIGINT NOT NULL,
  updated_at      BIGINT NOT NULL,
  version         BIGINT NOT NULL,
  UNIQUE (merchant_id, sku)
);
CREATE INDEX products_name ON products (merchant_id, lower(name), id);
CREATE INDEX products_updated ON products (merchant_id, updated_at, id);

-- A product has one price per currency in force at a time: the newest valid_from that has come.
CREATE TABLE prices (
  id           TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  merchant_id  TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
  product_id   TEXT COLLATE "C" NOT NULL REFERENCES products (id),
  currency     TEXT COLLATE "C" NOT NULL,
  amount_minor BIGINT CHECK (amount_minor >= 0),
  valid_from   BIGINT NOT NULL,
  UNIQUE (product_id, currency, valid_from)
);

-- Contents, by what they are. A blob belongs to nobody; file_versions says who sells it.
CREATE TABLE blobs (
  sha256     TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  size       BIGINT NOT NULL,
  crc32      BIGINT NOT NULL,
  md5        TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE TABLE product_files (
  id          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  merchant_id TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
  product_id  TEXT COLLATE "C" NOT NULL REFERENCES products (id),
  position    BIGINT NOT NULL,
  name        TEXT COLLATE "C" NOT NULL,
  created_at  BIGINT NOT NULL,
  removed_at  BIGINT 
);
CREATE INDEX product_files_product ON product_files (product_id, position);

CREATE TABLE file_versions (
  id              TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  merchant_id     TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
  -- None for a content that was made for one unit.
  product_file_id TEXT COLLATE "C" REFERENCES product_files (id),
  name            TEXT COLLATE "C" NOT NULL,
  sha256          TEXT COLLATE "C" NOT NULL REFERENCES blobs (sha256),
  created_at      BIGINT NOT NULL
);
CREATE INDEX file_versions_file ON file_versions (product_file_id, id);

CREATE TABLE orders (
  id             TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  merchant_id    TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
  status         TEXT COLLATE "C" NOT NULL CHECK (status IN ('awaiting_payment', 'pending', 'paid', 'refunded', 'void')),
  source         TEXT COLLATE "C" NOT NULL CHECK (source IN ('checkout', 'button', 'manual')),
  connection_id  TEXT COLLATE "C" REFERENCES connections (id),
  payer_id       TEXT COLLATE "C" REFERENCES customers (id),
  customer_id    TEXT COLLATE "C" REFERENCES customers (id),
  buyer_email    TEXT COLLATE "C",
  buyer_name     TEXT COLLATE "C" NOT NULL,
  buyer_company  TEXT COLLATE "C" NOT NULL,
  buyer_country  TEXT COLLATE "C",
  buyer_vat_id   TEXT COLLATE "C",
  locale         TEXT COLLATE "C" NOT NULL,
  currency       TEXT COLLATE "C" NOT NULL,
  net_minor      BIGINT NOT NULL,
  tax_minor      BIGINT NOT NULL,
  due_minor      BIGINT NOT NULL,
  settled_minor  BIGINT NOT NULL,
  returned_minor BIGINT NOT NULL,
  nonce          BYTEA NOT NULL,
  ring_key       BIGINT NOT NULL,
  generation     BIGINT NOT NULL,
  consent_text   TEXT COLLATE "C",
  consent_at     BIGINT,
  created_at     BIGINT NOT NULL,
  paid_at        BIGINT,
  invoiced_at    BIGINT,
  version        BIGINT NOT NULL,
  CHECK (status NOT IN ('paid', 'refunded') OR paid_at IS NOT NULL)
);
CREATE INDEX orders_merchant ON orders (merchant_id, id);
-- What the list of transactions is narrowed, sorted and searched by.
CREATE INDEX orders_status ON orders (merchant_id, status, id);
CREATE INDEX orders_due ON orders (merchant_id, due_minor, id);
CREATE INDEX orders_email ON orders (merchant_id, buyer_email, id) WHERE buyer_email IS NOT NULL;
CREATE INDEX orders_name ON orders (merchant_id, lower(buyer_name), id) WHERE buyer_name <> '';
-- What came in on a day, without touching the orders themselves.
CREATE INDEX orders_paid ON orders (merchant_id, paid_at, currency, due_minor) WHERE paid_at IS NOT NULL;
CREATE INDEX orders_uninvoiced ON orders (merchant_id, paid_at, id) WHERE paid_at IS NOT NULL AND invoiced_at IS NULL;
CREATE INDEX orders_customer ON orders (customer_id, id) WHERE customer_id IS NOT NULL;

-- Terms are frozen here: price, tax, link life, limit, policies, as they were at purchase.
CREATE TABLE order_lines (
  id             TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  merchant_id    TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
  order_id       TEXT COLLATE "C" NOT NULL REFERENCES orders (id),
  position       BIGINT NOT NULL,
  kind           TEXT COLLATE "C" NOT NULL CHECK (kind IN ('product', 'discount', 'unlisted')),
  product_id     TEXT COLLATE "C" REFERENCES products (id),
  sku            TEXT COLLATE "C" NOT NULL,
  name           TEXT COLLATE "C" NOT NULL,
  quantity       BIGINT NOT NULL CHECK (quantity BETWEEN 1 AND 1000000),
  unit_minor     BIGINT NOT NULL,
  net_minor      BIGINT NOT NULL,
  tax_minor      BIGINT NOT NULL,
  gross_minor    BIGINT NOT NULL,
  tax_rate_ppm   BIGINT NOT NULL,
  jurisdiction   TEXT COLLATE "C",
  attributes     TEXT COLLATE "C" NOT NULL CHECK (attributes::json IS NOT NULL),
  inputs         TEXT COLLATE "C" NOT NULL CHECK (inputs::json IS NOT NULL),
  link_life      BIGINT NOT NULL,
  download_limit BIGINT NOT NULL,
  file_policy    TEXT COLLATE "C" NOT NULL,
  pending_policy TEXT COLLATE "C" NOT NULL,
  deliverables   TEXT COLLATE "C" NOT NULL CHECK (deliverables::json IS NOT NULL),
  UNIQUE (order_id, position),
  CHECK ((kind = 'product') = (product_id IS NOT NULL))
);

-- What a product has sold, the newest last.
CREATE INDEX order_lines_product ON order_lines (product_id, id) WHERE product_id IS NOT NULL;

-- The files of a line as bought.
CREATE TABLE line_files (
  line_id         TEXT COLLATE "C" NOT NULL REFERENCES order_lines (id),
  position        BIGINT NOT NULL,
  merchant_id     TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
  file_version_id TEXT COLLATE "C" NOT NULL REFERENCES file_versions (id),
  PRIMARY KEY (line_id, position)
);

-- The inbox: what gateways sent, byte for byte, encrypted until it is pruned.
CREATE TABLE notices (
  id            TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  merchant_id   TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
  connection_id TEXT COLLATE "C" NOT NULL REFERENCES connections (id),
  transport_key BYTEA NOT NULL,
  state         TEXT COLLATE "C" NOT NULL
                CHECK (state IN ('received', 'applied', 'ignored', 'unmatched', 'quarantined', 'refused', 'forged')),
  reason        TEXT COLLATE "C" NOT NULL,
  summary       TEXT COLLATE "C" NOT NULL CHECK (summary::json IS NOT NULL),
  raw_sealed    BYTEA,
  address       TEXT COLLATE "C" NOT NULL,
  order_id      TEXT COLLATE "C" REFERENCES orders (id),
  waits_for     TEXT COLLATE "C",
  copies        BIGINT NOT NULL,
  received_at   BIGINT NOT NULL,
  verified_at   BIGINT,
  decided_at    BIGINT 
);
-- What was forged does not stand in the way of the same bytes when they come from the gateway.
CREATE UNIQUE INDEX notices_transport ON notices (connection_id, transport_key) WHERE state <> 'forged';
CREATE INDEX notices_merchant ON notices (merchant_id, id);
CREATE INDEX notices_open ON notices (merchant_id, state, id)
  WHERE state IN ('received', 'unmatched', 'quarantined');
-- What the keeping of the house looks for, without walking the whole inbox.
CREATE INDEX notices_raw ON notices (received_at)
  WHERE raw_sealed IS NOT NULL AND state IN ('applied', 'ignored', 'refused', 'forged');
-- Forgeries beyond the newest go first.
CREATE INDEX notices_forged ON notices (connection_id, id) WHERE state = 'forged';
CREATE INDEX notices_unmatched ON notices (received_at) WHERE state = 'unmatched';
-- What becomes clear when the gateway announces this transaction.
CREATE INDEX notices_waiting ON notices (connection_id, waits_for, id) WHERE state = 'unmatched';
CREATE INDEX notices_order ON notices (order_id) WHERE order_id IS NOT NULL;

CREATE TABLE payments (
  id             TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  merchant_id    TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
  connection_id  TEXT COLLATE "C" NOT NULL REFERENCES connections (id),
  gateway_ref    TEXT COLLATE "C" NOT NULL,
  order_id       TEXT COLLATE "C" REFERENCES orders (id),
  status         TEXT COLLATE "C" NOT NULL CHECK (status IN ('initiated', 'pending', 'settled', 'failed', 'expired',
                         'partly_refunded', 'refunded', 'disputed', 'reversed')),
  currency       TEXT COLLATE "C" NOT NULL,
  settled_minor  BIGINT NOT NULL,
  returned_minor BIGINT NOT NULL,
  fee_minor      BIGINT,
  created_at     BIGINT NOT NULL,
  updated_at     BIGINT NOT NULL,
  UNIQUE (connection_id, gateway_ref)
);
CREATE INDEX payments_order ON payments (order_id) WHERE order_id IS NOT NULL;

-- What gateways have said about a payment, each statement once. The payment's status is a
-- function of this set, so that any order and any repetition of notices ends the same.
CREATE TABLE facts (
  id           TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  merchant_id  TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
  payment_id   TEXT COLLATE "C" NOT NULL REFERENCES payments (id),
  kind         TEXT COLLATE "C" NOT NULL CHECK (kind IN ('pending', 'settlement', 'failure', 'expiry', 'refund',
                       'refund_failure', 'reversal', 'reversal_cancellation', 'dispute', 'dispute_won', 'dispute_lost')),
  movement_ref TEXT COLLATE "C" NOT NULL,
  amount_minor BIGINT NOT NULL CHECK (amount_minor >= 0),
  currency     TEXT COLLATE "C" NOT NULL,
  detail       TEXT COLLATE "C" NOT NULL,
  notice_id    TEXT COLLATE "C" NOT NULL REFERENCES notices (id),
  occurred_at  BIGINT NOT NULL,
  recorded_at  BIGINT NOT NULL,
  UNIQUE (payment_id, kind, movement_ref)
);

-- The ledger: each movement of money once, from one account to another.
CREATE TABLE transfers (
  id           TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  merchant_id  TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
  fact_id      TEXT COLLATE "C" NOT NULL UNIQUE REFERENCES facts (id),
  payment_id   TEXT COLLATE "C" NOT NULL REFERENCES payments (id),
  debit        TEXT COLLATE "C" NOT NULL,
  credit       TEXT COLLATE "C" NOT NULL,
  amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
  currency     TEXT COLLATE "C" NOT NULL,
  recorded_at  BIGINT NOT NULL,
  CHECK (debit <> credit)
);
CREATE INDEX transfers_payment ON transfers (payment_id);

-- One unit per line and number: the primary key is what makes delivery happen once.
CREATE TABLE units (
  line_id     TEXT COLLATE "C" NOT NULL REFERENCES order_lines (id),
  unit_no     BIGINT NOT NULL CHECK (unit_no >= 1),
  merchant_id TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
  order_id    TEXT COLLATE "C" NOT NULL REFERENCES orders (id),
  capacity    BIGINT NOT NULL CHECK (capacity >= 1),
  state       TEXT COLLATE "C" NOT NULL CHECK (state IN ('done')),
  created_at  BIGINT NOT NULL,
  PRIMARY KEY (line_id, unit_no)
);
CREATE INDEX units_order ON units (order_id);

-- The right to have what a unit delivers. No token is stored: it is derived from this row.
CREATE TABLE grants (
  id             TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  merchant_id    TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
  order_id       TEXT COLLATE "C" NOT NULL REFERENCES orders (id),
  line_id        TEXT COLLATE "C" NOT NULL,
  unit_no        BIGINT NOT NULL,
  customer_id    TEXT COLLATE "C" NOT NULL REFERENCES customers (id),
  status         TEXT COLLATE "C" NOT NULL CHECK (status IN ('provisional', 'active', 'suspended', 'revoked')),
  nonce          BYTEA NOT NULL,
  ring_key       BIGINT NOT NULL,
  generation     BIGINT NOT NULL CHECK (generation >= 1),
  download_limit BIGINT NOT NULL,
  expires_at     BIGINT NOT NULL,
  created_at     BIGINT NOT NULL,
  UNIQUE (line_id, unit_no),
  FOREIGN KEY (line_id, unit_no) REFERENCES units (line_id, unit_no)
);
CREATE INDEX grants_order ON grants (order_id);
CREATE INDEX grants_customer ON grants (customer_id);

-- Every change of a grant, with what caused it, in the order in which they happened.
CREATE TABLE grant_changes (
  id          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  merchant_id TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
  grant_id    TEXT COLLATE "C" NOT NULL REFERENCES grants (id),
  seq         BIGINT NOT NULL CHECK (seq >= 1),
  change      TEXT COLLATE "C" NOT NULL CHECK (change IN ('granted', 'made_provisional', 'confirmed', 'withdrawn', 'suspended',
                      'reinstated', 'revoked', 'reissued', 'extended')),
  cause       TEXT COLLATE "C" NOT NULL,
  actor       TEXT COLLATE "C" NOT NULL,
  changed_at  BIGINT NOT NULL,
  UNIQUE (grant_id, seq)
);

-- Places of one file of a grant: open + spent never exceed the grant's limit.
CREATE TABLE grant_files (
  grant_id        TEXT COLLATE "C" NOT NULL REFERENCES grants (id),
  file_version_id TEXT COLLATE "C" NOT NULL REFERENCES file_versions (id),
  merchant_id     TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
  open_places     BIGINT NOT NULL CHECK (open_places >= 0),
  spent_places    BIGINT NOT NULL CHECK (spent_places >= 0),
  bytes           BIGINT NOT NULL,
  PRIMARY KEY (grant_id, file_version_id)
);

-- A counted session of handing out one file, or all files of a grant in one archive.
CREATE TABLE downloads (
  id              TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  merchant_id     TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
  grant_id        TEXT COLLATE "C" NOT NULL REFERENCES grants (id),
  file_version_id TEXT COLLATE "C" REFERENCES file_versions (id),
  -- What an archive was promised as; its bytes are computed for each request.
  archive_etag    TEXT COLLATE "C",
  generation      BIGINT NOT NULL,
  nonce           BYTEA NOT NULL,
  ring_key        BIGINT NOT NULL,
  state           TEXT COLLATE "C" NOT NULL CHECK (state IN ('open', 'spent', 'returned')),
  bytes           BIGINT NOT NULL,
  size            BIGINT NOT NULL,
  address         TEXT COLLATE "C" NOT NULL,
  user_agent      TEXT COLLATE "C" NOT NULL,
  started_at      BIGINT NOT NULL,
  last_byte_at    BIGINT NOT NULL,
  CHECK ((file_version_id IS NULL) = (archive_etag IS NOT NULL))
);
CREATE INDEX downloads_grant ON downloads (grant_id, id);
CREATE INDEX downloads_open ON downloads (last_byte_at) WHERE state = 'open';

-- The contents of an archive that a session hands out, in the order of its entries, and what it handed out of each.
CREATE TABLE download_files (
  download_id     TEXT COLLATE "C" NOT NULL REFERENCES downloads (id),
  file_version_id TEXT COLLATE "C" NOT NULL REFERENCES file_versions (id),
  merchant_id     TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
  position        BIGINT NOT NULL,
  bytes           BIGINT NOT NULL,
  PRIMARY KEY (download_id, file_version_id),
  UNIQUE (download_id, position)
);

-- The outbox: what is to leave, once each.
CREATE TABLE messages (
  id           TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  merchant_id  TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
  kind         TEXT COLLATE "C" NOT NULL,
  dedupe_key   TEXT COLLATE "C" NOT NULL,
  order_id     TEXT COLLATE "C" REFERENCES orders (id),
  customer_id  TEXT COLLATE "C" REFERENCES customers (id),
  to_address   TEXT COLLATE "C" NOT NULL,
  subject      TEXT COLLATE "C" NOT NULL,
  context      TEXT COLLATE "C" NOT NULL CHECK (context::json IS NOT NULL),
  state        TEXT COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'sent', 'failed', 'expired')),
  attempts     BIGINT NOT NULL,
  last_error   TEXT COLLATE "C" NOT NULL,
  created_at   BIGINT NOT NULL,
  sent_at      BIGINT,
  UNIQUE (merchant_id, dedupe_key)
);
CREATE INDEX messages_merchant ON messages (merchant_id, id);
CREATE INDEX messages_to ON messages (merchant_id, to_address, id);
CREATE INDEX messages_order ON messages (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX messages_unsent ON messages (merchant_id, state, id) WHERE state IN ('waiting', 'failed', 'expired');

CREATE TABLE invoice_series (
  merchant_id TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
  series      TEXT COLLATE "C" NOT NULL,
  last_number BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, series)
);

-- Numbered without gaps by a job of its own; the document is a snapshot of that day.
CREATE TABLE invoices (
  id            TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  merchant_id   TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
  kind          TEXT COLLATE "C" NOT NULL CHECK (kind IN ('invoice', 'credit_note')),
  series        TEXT COLLATE "C" NOT NULL,
  number        BIGINT NOT NULL CHECK (number >= 1),
  order_id      TEXT COLLATE "C" NOT NULL REFERENCES orders (id),
  cause         TEXT COLLATE "C" NOT NULL,
  corrects_id   TEXT COLLATE "C" REFERENCES invoices (id),
  currency      TEXT COLLATE "C" NOT NULL,
  net_minor     BIGINT NOT NULL,
  tax_minor     BIGINT NOT NULL,
  gross_minor   BIGINT NOT NULL,
  document      TEXT COLLATE "C" NOT NULL CHECK (document::json IS NOT NULL),
  issued_at     BIGINT NOT NULL,
  UNIQUE (merchant_id, series, number),
  UNIQUE (order_id, cause)
);
CREATE INDEX invoices_merchant ON invoices (merchant_id, id);
CREATE INDEX invoices_number ON invoices (merchant_id, number, id);
CREATE INDEX invoices_gross ON invoices (merchant_id, gross_minor, id);

-- Movements of paid orders' money that the job that issues documents has not looked at yet.
CREATE TABLE credits_due (
  fact_id     TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES facts (id),
  merchant_id TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
  order_id    TEXT COLLATE "C" NOT NULL REFERENCES orders (id),
  due_at      BIGINT NOT NULL
);

-- What a product has sold, by day, and how many lines hold a version of a file: counted by the
-- job that issues the invoice, once per order, so that no page adds up a million lines. The sum
-- of all days stands under the day -1.
CREATE TABLE sales (
  merchant_id  TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
  subject      TEXT COLLATE "C" NOT NULL,
  day          BIGINT NOT NULL,
  currency     TEXT COLLATE "C" NOT NULL,
  orders       BIGINT NOT NULL,
  units        BIGINT NOT NULL,
  amount_minor BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, subject, day, currency)
);

-- What a person has to look at.
CREATE TABLE reviews (
  id          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  merchant_id TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
  kind        TEXT COLLATE "C" NOT NULL,
  order_id    TEXT COLLATE "C" REFERENCES orders (id),
  notice_id   TEXT COLLATE "C" REFERENCES notices (id),
  detail      TEXT COLLATE "C" NOT NULL,
  opened_at   BIGINT NOT NULL,
  resolved_at BIGINT,
  resolved_by TEXT COLLATE "C",
  resolution  TEXT
);
CREATE INDEX reviews_open ON reviews (merchant_id, id) WHERE resolved_at IS NULL;
CREATE INDEX reviews_order ON reviews (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX reviews_merchant ON reviews (merchant_id, id);

-- When a merchant's alarms were looked at, and which kinds of them somebody was told of by mail.
CREATE TABLE alarm_watch (
  merchant_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES merchants (id),
  looked_at   BIGINT NOT NULL,
  mailed_at   BIGINT,
  told        TEXT COLLATE "C" NOT NULL CHECK (told::json IS NOT NULL)
);
CREATE INDEX alarm_watch_due ON alarm_watch (looked_at, merchant_id);

-- The audit log and every order's timeline. seq and hash are sealed by a job of its own.
CREATE TABLE events (
  id          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  merchant_id TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
  order_id    TEXT COLLATE "C" REFERENCES orders (id),
  subject     TEXT COLLATE "C" NOT NULL,
  kind        TEXT COLLATE "C" NOT NULL,
  actor       TEXT COLLATE "C" NOT NULL,
  detail      TEXT COLLATE "C" NOT NULL CHECK (detail::json IS NOT NULL),
  happened_at BIGINT NOT NULL,
  seq         BIGINT,
  hash        BYTEA,
  UNIQUE (merchant_id, seq)
);
CREATE INDEX events_order ON events (order_id, id) WHERE order_id IS NOT NULL;
CREATE INDEX events_unsealed ON events (merchant_id, id) WHERE seq IS NULL;
CREATE INDEX events_merchant ON events (merchant_id, id);
-- What staff did, among the many lines of gateways and jobs.
CREATE INDEX events_staff ON events (merchant_id, id) WHERE actor >= 'stf_' AND actor < 'stg';
CREATE INDEX events_subject ON events (merchant_id, subject, id) WHERE order_id IS NULL;

-- Work for the outside world. A running job always has a lease, so a crashed worker's comes back.
CREATE TABLE jobs (
  id          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  kind        TEXT COLLATE "C" NOT NULL,
  payload     TEXT COLLATE "C" NOT NULL CHECK (payload::json IS NOT NULL),
  state       TEXT COLLATE "C" NOT NULL CHECK (state IN ('ready', 'running', 'dead')),
  attempt     BIGINT NOT NULL,
  run_at      BIGINT NOT NULL,
  lease_until BIGINT,
  lease_epoch BIGINT NOT NULL,
  dedupe_key  TEXT COLLATE "C",
  last_error  TEXT COLLATE "C" NOT NULL,
  created_at  BIGINT NOT NULL,
  CHECK ((state = 'running') = (lease_until IS NOT NULL))
);
-- By kind: a heap of mail must not stand before the notices.
CREATE INDEX jobs_ready ON jobs (kind, run_at, id) WHERE state = 'ready';
CREATE INDEX jobs_running ON jobs (lease_until) WHERE state = 'running';
CREATE INDEX jobs_dead ON jobs (id) WHERE state = 'dead';
-- One waiting job per subject. A running one does not count, or news that arrives while it
-- runs would be lost.
CREATE UNIQUE INDEX jobs_dedupe ON jobs (kind, dedupe_key) WHERE dedupe_key IS NOT NULL AND state = 'ready';
