-- The spine: who sells, what is sold, what was paid, what is owed, what left the house.
-- Times are microseconds UTC. Money is whole minor units beside its currency. Ids are minted
-- by the program and sort by time. The database repeats the rules that the types state.

CREATE TABLE settings (
  name       TEXT    NOT NULL PRIMARY KEY,
  value      TEXT    NOT NULL,
  changed_at INTEGER NOT NULL
) STRICT;

CREATE TABLE merchants (
  id            TEXT    NOT NULL PRIMARY KEY,
  slug          TEXT    NOT NULL UNIQUE,
  host          TEXT    UNIQUE,
  name          TEXT    NOT NULL,
  legal_name    TEXT    NOT NULL,
  legal_address TEXT    NOT NULL,
  country       TEXT,
  vat_id        TEXT,
  time_zone     TEXT    NOT NULL,
  locale        TEXT    NOT NULL,
  currency      TEXT    NOT NULL,
  sender_email  TEXT    NOT NULL,
  support_email TEXT    NOT NULL,
  alarm_email   TEXT,
  support_text  TEXT    NOT NULL,
  consent_text  TEXT    NOT NULL,
  accent        TEXT    NOT NULL,
  logo_sha256   TEXT,
  words         TEXT    NOT NULL CHECK (json_valid(words)),
  created_at    INTEGER NOT NULL,
  version       INTEGER NOT NULL
) STRICT;

CREATE TABLE staff (
  id              TEXT    NOT NULL PRIMARY KEY,
  merchant_id     TEXT    NOT NULL REFERENCES merchants (id),
  email           TEXT    NOT NULL,
  name            TEXT    NOT NULL,
  role            TEXT    NOT NULL CHECK (role IN ('owner', 'support', 'read_only')),
  password_hash   TEXT,
  totp_sealed     BLOB,
  totp_enabled_at INTEGER,
  totp_last_step  INTEGER NOT NULL,
  created_at      INTEGER NOT NULL,
  disabled_at     INTEGER,
  UNIQUE (merchant_id, email)
) STRICT;

CREATE TABLE customers (
  id          TEXT    NOT NULL PRIMARY KEY,
  merchant_id TEXT    NOT NULL REFERENCES merchants (id),
  email       TEXT    NOT NULL,
  name        TEXT    NOT NULL,
  company     TEXT    NOT NULL,
  address     TEXT    NOT NULL,
  country     TEXT,
  vat_id      TEXT,
  locale      TEXT    NOT NULL,
  created_at  INTEGER NOT NULL,
  UNIQUE (merchant_id, email)
) STRICT;
CREATE INDEX customers_merchant ON customers (merchant_id, id);
CREATE INDEX customers_name ON customers (merchant_id, lower(name), id);
CREATE INDEX customers_company ON customers (merchant_id, lower(company), id) WHERE company <> '';

CREATE TABLE sessions (
  id           TEXT    NOT NULL PRIMARY KEY,
  merchant_id  TEXT    NOT NULL REFERENCES merchants (id),
  token_hash   BLOB    NOT NULL UNIQUE,
  staff_id     TEXT    REFERENCES staff (id),
  customer_id  TEXT    REFERENCES customers (id),
  created_at   INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL,
  revoked_at   INTEGER,
  address      TEXT    NOT NULL,
  user_agent   TEXT    NOT NULL,
  CHECK ((staff_id IS NULL) <> (customer_id IS NULL))
) STRICT;
CREATE INDEX sessions_over ON sessions (expires_at);
CREATE INDEX sessions_staff ON sessions (staff_id) WHERE staff_id IS NOT NULL;
CREATE INDEX sessions_customer ON sessions (customer_id) WHERE customer_id IS NOT NULL;

-- One-time links that sign somebody in. Looked at by GET, consumed by POST.
CREATE TABLE login_tokens (
  id          TEXT    NOT NULL PRIMARY KEY,
  merchant_id TEXT    NOT NULL REFERENCES merchants (id),
  token_hash  BLOB    NOT NULL UNIQUE,
  staff_id    TEXT    REFERENCES staff (id),
  customer_id TEXT    REFERENCES customers (id),
  created_at  INTEGER NOT NULL,
  expires_at  INTEGER NOT NULL,
  consumed_at INTEGER,
  CHECK ((staff_id IS NULL) <> (customer_id IS NULL))
) STRICT;
CREATE INDEX login_tokens_over ON login_tokens (expires_at);

CREATE TABLE api_keys (
  id           TEXT    NOT NULL PRIMARY KEY,
  merchant_id  TEXT    NOT NULL REFERENCES merchants (id),
  name         TEXT    NOT NULL,
  secret_hash  BLOB    NOT NULL UNIQUE,
  scopes       TEXT    NOT NULL,
  created_at   INTEGER NOT NULL,
  created_by   TEXT    NOT NULL,
  revoked_at   INTEGER,
  last_used_at INTEGER
) STRICT;
CREATE INDEX api_keys_merchant ON api_keys (merchant_id, id);

-- What an API request with this Idempotency-Key was answered. No secret is kept in it.
CREATE TABLE idempotency (
  merchant_id  TEXT    NOT NULL REFERENCES merchants (id),
  api_key_id   TEXT    NOT NULL REFERENCES api_keys (id),
  key          TEXT    NOT NULL,
  request_hash BLOB    NOT NULL,
  status       INTEGER NOT NULL,
  response     TEXT    NOT NULL,
  created_at   INTEGER NOT NULL,
  PRIMARY KEY (api_key_id, key)
) STRICT;
CREATE INDEX idempotency_age ON idempotency (created_at);

CREATE TABLE connections (
  id             TEXT    NOT NULL PRIMARY KEY,
  merchant_id    TEXT    NOT NULL REFERENCES merchants (id),
  gateway        TEXT    NOT NULL,
  mode           TEXT    NOT NULL CHECK (mode IN ('test', 'live')),
  name           TEXT    NOT NULL,
  settings       TEXT    NOT NULL CHECK (json_valid(settings)),
  secrets_sealed BLOB    NOT NULL,
  created_at     INTEGER NOT NULL,
  disabled_at    INTEGER,
  version        INTEGER NOT NULL
) STRICT;
CREATE INDEX connections_merchant ON connections (merchant_id, id);

CREATE TABLE products (
  id              TEXT    NOT NULL PRIMARY KEY,
  merchant_id     TEXT    NOT NULL REFERENCES merchants (id),
  sku             TEXT    NOT NULL,
  name            TEXT    NOT NULL,
  description     TEXT    NOT NULL,
  status          TEXT    NOT NULL CHECK (status IN ('draft', 'active', 'archived')),
  standard_text   TEXT    NOT NULL,
  other_text      TEXT    NOT NULL,
  support_text    TEXT    NOT NULL,
  link_life       INTEGER NOT NULL CHECK (link_life > 0),
  download_limit  INTEGER NOT NULL CHECK (download_limit > 0),
  file_policy     TEXT    NOT NULL CHECK (file_policy IN ('as_bought', 'latest')),
  pending_policy  TEXT    NOT NULL CHECK (pending_policy IN ('nothing', 'provisional')),
  deliverables    TEXT    NOT NULL CHECK (json_valid(deliverables)),
  created_at      INTEGER NOT NULL,
  updated_at      INTEGER NOT NULL,
  version         INTEGER NOT NULL,
  UNIQUE (merchant_id, sku)
) STRICT;
CREATE INDEX products_name ON products (merchant_id, lower(name), id);
CREATE INDEX products_updated ON products (merchant_id, updated_at, id);

-- A product has one price per currency in force at a time: the newest valid_from that has come.
CREATE TABLE prices (
  id           TEXT    NOT NULL PRIMARY KEY,
  merchant_id  TEXT    NOT NULL REFERENCES merchants (id),
  product_id   TEXT    NOT NULL REFERENCES products (id),
  currency     TEXT    NOT NULL,
  amount_minor INTEGER CHECK (amount_minor >= 0),
  valid_from   INTEGER NOT NULL,
  UNIQUE (product_id, currency, valid_from)
) STRICT;

-- Contents, by what they are. A blob belongs to nobody; file_versions says who sells it.
CREATE TABLE blobs (
  sha256     TEXT    NOT NULL PRIMARY KEY,
  size       INTEGER NOT NULL,
  crc32      INTEGER NOT NULL,
  md5        TEXT    NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE product_files (
  id          TEXT    NOT NULL PRIMARY KEY,
  merchant_id TEXT    NOT NULL REFERENCES merchants (id),
  product_id  TEXT    NOT NULL REFERENCES products (id),
  position    INTEGER NOT NULL,
  name        TEXT    NOT NULL,
  created_at  INTEGER NOT NULL,
  removed_at  INTEGER
) STRICT;
CREATE INDEX product_files_product ON product_files (product_id, position);

CREATE TABLE file_versions (
  id              TEXT    NOT NULL PRIMARY KEY,
  merchant_id     TEXT    NOT NULL REFERENCES merchants (id),
  -- None for a content that was made for one unit.
  product_file_id TEXT    REFERENCES product_files (id),
  name            TEXT    NOT NULL,
  sha256          TEXT    NOT NULL REFERENCES blobs (sha256),
  created_at      INTEGER NOT NULL
) STRICT;
CREATE INDEX file_versions_file ON file_versions (product_file_id, id);

CREATE TABLE orders (
  id             TEXT    NOT NULL PRIMARY KEY,
  merchant_id    TEXT    NOT NULL REFERENCES merchants (id),
  status         TEXT    NOT NULL CHECK (status IN ('awaiting_payment', 'pending', 'paid', 'refunded', 'void')),
  source         TEXT    NOT NULL CHECK (source IN ('checkout', 'button', 'manual')),
  connection_id  TEXT    REFERENCES connections (id),
  payer_id       TEXT    REFERENCES customers (id),
  customer_id    TEXT    REFERENCES customers (id),
  buyer_email    TEXT,
  buyer_name     TEXT    NOT NULL,
  buyer_company  TEXT    NOT NULL,
  buyer_country  TEXT,
  buyer_vat_id   TEXT,
  locale         TEXT    NOT NULL,
  currency       TEXT    NOT NULL,
  net_minor      INTEGER NOT NULL,
  tax_minor      INTEGER NOT NULL,
  due_minor      INTEGER NOT NULL,
  settled_minor  INTEGER NOT NULL,
  returned_minor INTEGER NOT NULL,
  nonce          BLOB    NOT NULL,
  ring_key       INTEGER NOT NULL,
  generation     INTEGER NOT NULL,
  consent_text   TEXT,
  consent_at     INTEGER,
  created_at     INTEGER NOT NULL,
  paid_at        INTEGER,
  invoiced_at    INTEGER,
  version        INTEGER NOT NULL,
  CHECK (status NOT IN ('paid', 'refunded') OR paid_at IS NOT NULL)
) STRICT;
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
  id             TEXT    NOT NULL PRIMARY KEY,
  merchant_id    TEXT    NOT NULL REFERENCES merchants (id),
  order_id       TEXT    NOT NULL REFERENCES orders (id),
  position       INTEGER NOT NULL,
  kind           TEXT    NOT NULL CHECK (kind IN ('product', 'discount', 'unlisted')),
  product_id     TEXT    REFERENCES products (id),
  sku            TEXT    NOT NULL,
  name           TEXT    NOT NULL,
  quantity       INTEGER NOT NULL CHECK (quantity BETWEEN 1 AND 1000000),
  unit_minor     INTEGER NOT NULL,
  net_minor      INTEGER NOT NULL,
  tax_minor      INTEGER NOT NULL,
  gross_minor    INTEGER NOT NULL,
  tax_rate_ppm   INTEGER NOT NULL,
  jurisdiction   TEXT,
  attributes     TEXT    NOT NULL CHECK (json_valid(attributes)),
  inputs         TEXT    NOT NULL CHECK (json_valid(inputs)),
  link_life      INTEGER NOT NULL,
  download_limit INTEGER NOT NULL,
  file_policy    TEXT    NOT NULL,
  pending_policy TEXT    NOT NULL,
  deliverables   TEXT    NOT NULL CHECK (json_valid(deliverables)),
  UNIQUE (order_id, position),
  CHECK ((kind = 'product') = (product_id IS NOT NULL))
) STRICT;

-- What a product has sold, the newest last.
CREATE INDEX order_lines_product ON order_lines (product_id, id) WHERE product_id IS NOT NULL;

-- The files of a line as bought.
CREATE TABLE line_files (
  line_id         TEXT    NOT NULL REFERENCES order_lines (id),
  position        INTEGER NOT NULL,
  merchant_id     TEXT    NOT NULL REFERENCES merchants (id),
  file_version_id TEXT    NOT NULL REFERENCES file_versions (id),
  PRIMARY KEY (line_id, position)
) STRICT;

-- The inbox: what gateways sent, byte for byte, encrypted until it is pruned.
CREATE TABLE notices (
  id            TEXT    NOT NULL PRIMARY KEY,
  merchant_id   TEXT    NOT NULL REFERENCES merchants (id),
  connection_id TEXT    NOT NULL REFERENCES connections (id),
  transport_key BLOB    NOT NULL,
  state         TEXT    NOT NULL
                CHECK (state IN ('received', 'applied', 'ignored', 'unmatched', 'quarantined', 'refused', 'forged')),
  reason        TEXT    NOT NULL,
  summary       TEXT    NOT NULL CHECK (json_valid(summary)),
  raw_sealed    BLOB,
  address       TEXT    NOT NULL,
  order_id      TEXT    REFERENCES orders (id),
  waits_for     TEXT,
  copies        INTEGER NOT NULL,
  received_at   INTEGER NOT NULL,
  verified_at   INTEGER,
  decided_at    INTEGER
) STRICT;
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
  id             TEXT    NOT NULL PRIMARY KEY,
  merchant_id    TEXT    NOT NULL REFERENCES merchants (id),
  connection_id  TEXT    NOT NULL REFERENCES connections (id),
  gateway_ref    TEXT    NOT NULL,
  order_id       TEXT    REFERENCES orders (id),
  status         TEXT    NOT NULL CHECK (status IN ('initiated', 'pending', 'settled', 'failed', 'expired',
                         'partly_refunded', 'refunded', 'disputed', 'reversed')),
  currency       TEXT    NOT NULL,
  settled_minor  INTEGER NOT NULL,
  returned_minor INTEGER NOT NULL,
  fee_minor      INTEGER,
  created_at     INTEGER NOT NULL,
  updated_at     INTEGER NOT NULL,
  UNIQUE (connection_id, gateway_ref)
) STRICT;
CREATE INDEX payments_order ON payments (order_id) WHERE order_id IS NOT NULL;

-- What gateways have said about a payment, each statement once. The payment's status is a
-- function of this set, so that any order and any repetition of notices ends the same.
CREATE TABLE facts (
  id           TEXT    NOT NULL PRIMARY KEY,
  merchant_id  TEXT    NOT NULL REFERENCES merchants (id),
  payment_id   TEXT    NOT NULL REFERENCES payments (id),
  kind         TEXT    NOT NULL CHECK (kind IN ('pending', 'settlement', 'failure', 'expiry', 'refund',
                       'refund_failure', 'reversal', 'reversal_cancellation', 'dispute', 'dispute_won', 'dispute_lost')),
  movement_ref TEXT    NOT NULL,
  amount_minor INTEGER NOT NULL CHECK (amount_minor >= 0),
  currency     TEXT    NOT NULL,
  detail       TEXT    NOT NULL,
  notice_id    TEXT    NOT NULL REFERENCES notices (id),
  occurred_at  INTEGER NOT NULL,
  recorded_at  INTEGER NOT NULL,
  UNIQUE (payment_id, kind, movement_ref)
) STRICT;

-- The ledger: each movement of money once, from one account to another.
CREATE TABLE transfers (
  id           TEXT    NOT NULL PRIMARY KEY,
  merchant_id  TEXT    NOT NULL REFERENCES merchants (id),
  fact_id      TEXT    NOT NULL UNIQUE REFERENCES facts (id),
  payment_id   TEXT    NOT NULL REFERENCES payments (id),
  debit        TEXT    NOT NULL,
  credit       TEXT    NOT NULL,
  amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
  currency     TEXT    NOT NULL,
  recorded_at  INTEGER NOT NULL,
  CHECK (debit <> credit)
) STRICT;
CREATE INDEX transfers_payment ON transfers (payment_id);

-- One unit per line and number: the primary key is what makes delivery happen once.
CREATE TABLE units (
  line_id     TEXT    NOT NULL REFERENCES order_lines (id),
  unit_no     INTEGER NOT NULL CHECK (unit_no >= 1),
  merchant_id TEXT    NOT NULL REFERENCES merchants (id),
  order_id    TEXT    NOT NULL REFERENCES orders (id),
  capacity    INTEGER NOT NULL CHECK (capacity >= 1),
  state       TEXT    NOT NULL CHECK (state IN ('done')),
  created_at  INTEGER NOT NULL,
  PRIMARY KEY (line_id, unit_no)
) STRICT;
CREATE INDEX units_order ON units (order_id);

-- The right to have what a unit delivers. No token is stored: it is derived from this row.
CREATE TABLE grants (
  id             TEXT    NOT NULL PRIMARY KEY,
  merchant_id    TEXT    NOT NULL REFERENCES merchants (id),
  order_id       TEXT    NOT NULL REFERENCES orders (id),
  line_id        TEXT    NOT NULL,
  unit_no        INTEGER NOT NULL,
  customer_id    TEXT    NOT NULL REFERENCES customers (id),
  status         TEXT    NOT NULL CHECK (status IN ('provisional', 'active', 'suspended', 'revoked')),
  nonce          BLOB    NOT NULL,
  ring_key       INTEGER NOT NULL,
  generation     INTEGER NOT NULL CHECK (generation >= 1),
  download_limit INTEGER NOT NULL,
  expires_at     INTEGER NOT NULL,
  created_at     INTEGER NOT NULL,
  UNIQUE (line_id, unit_no),
  FOREIGN KEY (line_id, unit_no) REFERENCES units (line_id, unit_no)
) STRICT;
CREATE INDEX grants_order ON grants (order_id);
CREATE INDEX grants_customer ON grants (customer_id);

-- Every change of a grant, with what caused it, in the order in which they happened.
CREATE TABLE grant_changes (
  id          TEXT    NOT NULL PRIMARY KEY,
  merchant_id TEXT    NOT NULL REFERENCES merchants (id),
  grant_id    TEXT    NOT NULL REFERENCES grants (id),
  seq         INTEGER NOT NULL CHECK (seq >= 1),
  change      TEXT    NOT NULL CHECK (change IN ('granted', 'made_provisional', 'confirmed', 'withdrawn', 'suspended',
                      'reinstated', 'revoked', 'reissued', 'extended')),
  cause       TEXT    NOT NULL,
  actor       TEXT    NOT NULL,
  changed_at  INTEGER NOT NULL,
  UNIQUE (grant_id, seq)
) STRICT;

-- Places of one file of a grant: open + spent never exceed the grant's limit.
CREATE TABLE grant_files (
  grant_id        TEXT    NOT NULL REFERENCES grants (id),
  file_version_id TEXT    NOT NULL REFERENCES file_versions (id),
  merchant_id     TEXT    NOT NULL REFERENCES merchants (id),
  open_places     INTEGER NOT NULL CHECK (open_places >= 0),
  spent_places    INTEGER NOT NULL CHECK (spent_places >= 0),
  bytes           INTEGER NOT NULL,
  PRIMARY KEY (grant_id, file_version_id)
) STRICT;

-- A counted session of handing out one file, or all files of a grant in one archive.
CREATE TABLE downloads (
  id              TEXT    NOT NULL PRIMARY KEY,
  merchant_id     TEXT    NOT NULL REFERENCES merchants (id),
  grant_id        TEXT    NOT NULL REFERENCES grants (id),
  file_version_id TEXT     REFERENCES file_versions (id),
  -- What an archive was promised as; its bytes are computed for each request.
  archive_etag    TEXT,
  generation      INTEGER NOT NULL,
  nonce           BLOB    NOT NULL,
  ring_key        INTEGER NOT NULL,
  state           TEXT    NOT NULL CHECK (state IN ('open', 'spent', 'returned')),
  bytes           INTEGER NOT NULL,
  size            INTEGER NOT NULL,
  address         TEXT    NOT NULL,
  user_agent      TEXT    NOT NULL,
  started_at      INTEGER NOT NULL,
  last_byte_at    INTEGER NOT NULL,
  CHECK ((file_version_id IS NULL) = (archive_etag IS NOT NULL))
) STRICT;
CREATE INDEX downloads_grant ON downloads (grant_id, id);
CREATE INDEX downloads_open ON downloads (last_byte_at) WHERE state = 'open';

-- The contents of an archive that a session hands out, in the order of its entries, and what it handed out of each.
CREATE TABLE download_files (
  download_id     TEXT    NOT NULL REFERENCES downloads (id),
  file_version_id TEXT    NOT NULL REFERENCES file_versions (id),
  merchant_id     TEXT    NOT NULL REFERENCES merchants (id),
  position        INTEGER NOT NULL,
  bytes           INTEGER NOT NULL,
  PRIMARY KEY (download_id, file_version_id),
  UNIQUE (download_id, position)
) STRICT;

-- The outbox: what is to leave, once each.
CREATE TABLE messages (
  id           TEXT    NOT NULL PRIMARY KEY,
  merchant_id  TEXT    NOT NULL REFERENCES merchants (id),
  kind         TEXT    NOT NULL,
  dedupe_key   TEXT    NOT NULL,
  order_id     TEXT    REFERENCES orders (id),
  customer_id  TEXT    REFERENCES customers (id),
  to_address   TEXT    NOT NULL,
  subject      TEXT    NOT NULL,
  context      TEXT    NOT NULL CHECK (json_valid(context)),
  state        TEXT    NOT NULL CHECK (state IN ('waiting', 'sent', 'failed', 'expired')),
  attempts     INTEGER NOT NULL,
  last_error   TEXT    NOT NULL,
  created_at   INTEGER NOT NULL,
  sent_at      INTEGER,
  UNIQUE (merchant_id, dedupe_key)
) STRICT;
CREATE INDEX messages_merchant ON messages (merchant_id, id);
CREATE INDEX messages_to ON messages (merchant_id, to_address, id);
CREATE INDEX messages_order ON messages (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX messages_unsent ON messages (merchant_id, state, id) WHERE state IN ('waiting', 'failed', 'expired');

CREATE TABLE invoice_series (
  merchant_id TEXT    NOT NULL REFERENCES merchants (id),
  series      TEXT    NOT NULL,
  last_number INTEGER NOT NULL,
  PRIMARY KEY (merchant_id, series)
) STRICT;

-- Numbered without gaps by a job of its own; the document is a snapshot of that day.
CREATE TABLE invoices (
  id            TEXT    NOT NULL PRIMARY KEY,
  merchant_id   TEXT    NOT NULL REFERENCES merchants (id),
  kind          TEXT    NOT NULL CHECK (kind IN ('invoice', 'credit_note')),
  series        TEXT    NOT NULL,
  number        INTEGER NOT NULL CHECK (number >= 1),
  order_id      TEXT    NOT NULL REFERENCES orders (id),
  cause         TEXT    NOT NULL,
  corrects_id   TEXT    REFERENCES invoices (id),
  currency      TEXT    NOT NULL,
  net_minor     INTEGER NOT NULL,
  tax_minor     INTEGER NOT NULL,
  gross_minor   INTEGER NOT NULL,
  document      TEXT    NOT NULL CHECK (json_valid(document)),
  issued_at     INTEGER NOT NULL,
  UNIQUE (merchant_id, series, number),
  UNIQUE (order_id, cause)
) STRICT;
CREATE INDEX invoices_merchant ON invoices (merchant_id, id);
CREATE INDEX invoices_number ON invoices (merchant_id, number, id);
CREATE INDEX invoices_gross ON invoices (merchant_id, gross_minor, id);

-- Movements of paid orders' money that the job that issues documents has not looked at yet.
CREATE TABLE credits_due (
  fact_id     TEXT    NOT NULL PRIMARY KEY REFERENCES facts (id),
  merchant_id TEXT    NOT NULL REFERENCES merchants (id),
  order_id    TEXT    NOT NULL REFERENCES orders (id),
  due_at      INTEGER NOT NULL
) STRICT;

-- What a product has sold, by day, and how many lines hold a version of a file: counted by the
-- job that issues the invoice, once per order, so that no page adds up a million lines. The sum
-- of all days stands under the day -1.
CREATE TABLE sales (
  merchant_id  TEXT NOT NULL REFERENCES merchants (id),
  subject      TEXT NOT NULL,
  day          INTEGER NOT NULL,
  currency     TEXT NOT NULL,
  orders       INTEGER NOT NULL,
  units        INTEGER NOT NULL,
  amount_minor INTEGER NOT NULL,
  PRIMARY KEY (merchant_id, subject, day, currency)
) STRICT;

-- What a person has to look at.
CREATE TABLE reviews (
  id          TEXT    NOT NULL PRIMARY KEY,
  merchant_id TEXT    NOT NULL REFERENCES merchants (id),
  kind        TEXT    NOT NULL,
  order_id    TEXT    REFERENCES orders (id),
  notice_id   TEXT    REFERENCES notices (id),
  detail      TEXT    NOT NULL,
  opened_at   INTEGER NOT NULL,
  resolved_at INTEGER,
  resolved_by TEXT,
  resolution  TEXT
) STRICT;
CREATE INDEX reviews_open ON reviews (merchant_id, id) WHERE resolved_at IS NULL;
CREATE INDEX reviews_order ON reviews (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX reviews_merchant ON reviews (merchant_id, id);

-- When a merchant's alarms were looked at, and which kinds of them somebody was told of by mail.
CREATE TABLE alarm_watch (
  merchant_id TEXT    NOT NULL PRIMARY KEY REFERENCES merchants (id),
  looked_at   INTEGER NOT NULL,
  mailed_at   INTEGER,
  told        TEXT    NOT NULL CHECK (json_valid(told))
) STRICT;
CREATE INDEX alarm_watch_due ON alarm_watch (looked_at, merchant_id);

-- The audit log and every order's timeline. seq and hash are sealed by a job of its own.
CREATE TABLE events (
  id          TEXT    NOT NULL PRIMARY KEY,
  merchant_id TEXT    NOT NULL REFERENCES merchants (id),
  order_id    TEXT    REFERENCES orders (id),
  subject     TEXT    NOT NULL,
  kind        TEXT    NOT NULL,
  actor       TEXT    NOT NULL,
  detail      TEXT    NOT NULL CHECK (json_valid(detail)),
  happened_at INTEGER NOT NULL,
  seq         INTEGER,
  hash        BLOB,
  UNIQUE (merchant_id, seq)
) STRICT;
CREATE INDEX events_order ON events (order_id, id) WHERE order_id IS NOT NULL;
CREATE INDEX events_unsealed ON events (merchant_id, id) WHERE seq IS NULL;
CREATE INDEX events_merchant ON events (merchant_id, id);
-- What staff did, among the many lines of gateways and jobs.
CREATE INDEX events_staff ON events (merchant_id, id) WHERE actor >= 'stf_' AND actor < 'stg';
CREATE INDEX events_subject ON events (merchant_id, subject, id) WHERE order_id IS NULL;

-- Work for the outside world. A running job always has a lease, so a crashed worker's comes back.
CREATE TABLE jobs (
  id          TEXT    NOT NULL PRIMARY KEY,
  kind        TEXT    NOT NULL,
  payload     TEXT    NOT NULL CHECK (json_valid(payload)),
  state       TEXT    NOT NULL CHECK (state IN ('ready', 'running', 'dead')),
  attempt     INTEGER NOT NULL,
  run_at      INTEGER NOT NULL,
  lease_until INTEGER,
  lease_epoch INTEGER NOT NULL,
  dedupe_key  TEXT,
  last_error  TEXT    NOT NULL,
  created_at  INTEGER NOT NULL,
  CHECK ((state = 'running') = (lease_until IS NOT NULL))
) STRICT;
-- By kind: a heap of mail must not stand before the notices.
CREATE INDEX jobs_ready ON jobs (kind, run_at, id) WHERE state = 'ready';
CREATE INDEX jobs_running ON jobs (lease_until) WHERE state = 'running';
CREATE INDEX jobs_dead ON jobs (id) WHERE state = 'dead';
-- One waiting job per subject. A running one does not count, or news that arrives while it
-- runs would be lost.
CREATE UNIQUE INDEX jobs_dedupe ON jobs (kind, dedupe_key) WHERE dedupe_key IS NOT NULL AND state = 'ready';
