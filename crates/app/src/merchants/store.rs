//! SQL of the merchants.

use db::{DbError, Row, Source, Tx, sql};
use kernel::MerchantId;

use super::{Address, Merchant};

const COLUMNS: &str = "SELECT id, slug, host, name, legal_name, legal_address, country, vat_id, time_zone, locale,
    currency, sender_email, support_email, alarm_email, support_text, consent_text, accent, logo_sha256, words,
    created_at, version
    FROM merchants";

/// Writes a new merchant.
pub fn insert(tx: &mut Tx<'_>, merchant: &Merchant) -> Result<(), DbError> {
    sql("INSERT INTO merchants (id, slug, host, name, legal_name, legal_address, country, vat_id, time_zone, locale,
            currency, sender_email, support_email, alarm_email, support_text, consent_text, accent, logo_sha256, words,
            created_at, version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, 1)")
    .bind(merchant.id)
    .bind(&merchant.slug)
    .bind(merchant.host.as_deref())
    .bind(&merchant.name)
    .bind(&merchant.legal_name)
    .bind(&merchant.legal_address)
    .bind(merchant.country.as_deref())
    .bind(merchant.vat_id.as_deref())
    .bind(&merchant.time_zone)
    .bind(&merchant.locale)
    .bind(merchant.currency)
    .bind(&merchant.sender_email)
    .bind(&merchant.support_email)
    .bind(merchant.alarm_email.as_ref())
    .bind(&merchant.support_text)
    .bind(&merchant.consent_text)
    .bind(&merchant.accent)
    .bind(merchant.logo_sha256.as_deref())
    .bind(&merchant.words)
    .bind(merchant.created_at)
    .execute(tx)
    .map(drop)
}

/// Writes back a merchant that was read in this transaction.
pub fn save(tx: &mut Tx<'_>, merchant: &Merchant) -> Result<(), DbError> {
    sql("UPDATE merchants SET slug = $1, host = $2, name = $3, legal_name = $4, legal_address = $5, country = $6,
            vat_id = $7, time_zone = $8, locale = $9, currency = $10, sender_email = $11, support_email = $12,
            alarm_email = $13, support_text = $14, consent_text = $15, accent = $16, logo_sha256 = $17, words = $18,
            version = version + 1
          WHERE id = $19 AND version = $20")
    .bind(&merchant.slug)
    .bind(merchant.host.as_deref())
    .bind(&merchant.name)
    .bind(&merchant.legal_name)
    .bind(&merchant.legal_address)
    .bind(merchant.country.as_deref())
    .bind(merchant.vat_id.as_deref())
    .bind(&merchant.time_zone)
    .bind(&merchant.locale)
    .bind(merchant.currency)
    .bind(&merchant.sender_email)
    .bind(&merchant.support_email)
    .bind(merchant.alarm_email.as_ref())
    .bind(&merchant.support_text)
    .bind(&merchant.consent_text)
    .bind(&merchant.accent)
    .bind(merchant.logo_sha256.as_deref())
    .bind(&merchant.words)
    .bind(merchant.id)
    .bind(merchant.version)
    .change_one(tx)
}

/// All of them, oldest first.
pub fn list(source: &mut impl Source) -> Result<Vec<Merchant>, DbError> {
    sql(format!("{COLUMNS} ORDER BY id")).all(source, read)
}

/// The oldest one: whose shop is shown where nothing names another.
pub fn first(source: &mut impl Source) -> Result<Option<Merchant>, DbError> {
    sql(format!("{COLUMNS} ORDER BY id LIMIT 1")).optional(source, read)
}

/// Where a merchant's pages are.
pub fn address(source: &mut impl Source, base_url: &str, merchant: &Merchant) -> Result<Address, DbError> {
    let oldest = sql("SELECT id FROM merchants ORDER BY id LIMIT 1").optional(source, |row| row.get("id"))?;
    Ok(merchant.address(base_url, oldest))
}

/// How many bytes a logo has; `None` for contents that are nobody's logo.
pub fn logo_size(source: &mut impl Source, sha256: &str) -> Result<Option<u64>, DbError> {
    sql("SELECT b.size AS size FROM blobs b
          WHERE b.sha256 = $1 AND EXISTS (SELECT 1 FROM merchants m WHERE m.logo_sha256 = b.sha256)")
    .bind(sha256)
    .optional(source, |row| row.get("size"))
}

/// By id.
pub fn by_id(source: &mut impl Source, id: MerchantId) -> Result<Merchant, DbError> {
    sql(format!("{COLUMNS} WHERE id = $1")).bind(id).one(source, read)
}

/// By the name in paths.
pub fn by_slug(source: &mut impl Source, slug: &str) -> Result<Option<Merchant>, DbError> {
    sql(format!("{COLUMNS} WHERE slug = $1")).bind(slug).optional(source, read)
}

/// By its own host name.
pub fn by_host(source: &mut impl Source, host: &str) -> Result<Option<Merchant>, DbError> {
    sql(format!("{COLUMNS} WHERE host = $1")).bind(host).optional(source, read)
}

fn read(row: &mut Row) -> Result<Merchant, DbError> {
    Ok(Merchant {
        id: row.get("id")?,
        slug: row.get("slug")?,
        host: row.get("host")?,
        name: row.get("name")?,
        legal_name: row.get("legal_name")?,
        legal_address: row.get("legal_address")?,
        country: row.get("country")?,
        vat_id: row.get("vat_id")?,
        time_zone: row.get("time_zone")?,
        locale: row.get("locale")?,
        currency: row.get("currency")?,
        sender_email: row.get("sender_email")?,
        support_email: row.get("support_email")?,
        alarm_email: row.get("alarm_email")?,
        support_text: row.get("support_text")?,
        consent_text: row.get("consent_text")?,
        accent: row.get("accent")?,
        logo_sha256: row.get("logo_sha256")?,
        words: row.get("words")?,
        created_at: row.get("created_at")?,
        version: row.get("version")?,
    })
}
