//! SQL of the staff.

use db::{DbError, Inserted, Row, Source, Tx, sql};
use kernel::{EmailAddress, MerchantId, Secret, StaffId, Timestamp};

use super::{Role, STAFF_MAX, Staff};

const COLUMNS: &str =
    "SELECT id, merchant_id, email, name, role, password_hash, totp_sealed, totp_enabled_at,
    totp_last_step, created_at, disabled_at FROM staff";

/// Writes somebody new, unless the address is taken.
pub fn insert(tx: &mut Tx<'_>, staff: &Staff) -> Result<Inserted, DbError> {
    sql("INSERT INTO staff (id, merchant_id, email, name, role, totp_last_step, created_at)
         VALUES ($1, $2, $3, $4, $5, 0, $6) ON CONFLICT DO NOTHING")
    .bind(staff.id)
    .bind(staff.merchant)
    .bind(&staff.email)
    .bind(&staff.name)
    .bind(staff.role)
    .bind(staff.created_at)
    .insert_new(tx)
}

/// By id.
pub fn by_id(source: &mut impl Source, merchant: MerchantId, id: StaffId) -> Result<Option<Staff>, DbError> {
    sql(format!("{COLUMNS} WHERE merchant_id = $1 AND id = $2"))
        .bind(merchant)
        .bind(id)
        .optional(source, read)
}

/// By id, holding the row.
pub fn lock(tx: &mut Tx<'_>, merchant: MerchantId, id: StaffId) -> Result<Option<Staff>, DbError> {
    sql(format!("{COLUMNS} WHERE merchant_id = $1 AND id = $2 {{FOR UPDATE}}"))
        .bind(merchant)
        .bind(id)
        .optional(tx, read)
}

/// By mail address.
pub fn by_email(
    source: &mut impl Source,
    merchant: MerchantId,
    email: &EmailAddress,
) -> Result<Option<Staff>, DbError> {
    sql(format!("{COLUMNS} WHERE merchant_id = $1 AND email = $2"))
        .bind(merchant)
        .bind(email)
        .optional(source, read)
}

/// Everybody, in the order they came.
pub fn list(source: &mut impl Source, merchant: MerchantId) -> Result<Vec<Staff>, DbError> {
    sql(format!("{COLUMNS} WHERE merchant_id = $1 ORDER BY id LIMIT $2"))
        .bind(merchant)
        .bind(STAFF_MAX)
        .all(source, read)
}

/// The first of those who may do everything and are not locked out.
pub fn first_owner(source: &mut impl Source, merchant: MerchantId) -> Result<Option<Staff>, DbError> {
    sql(format!(
        "{COLUMNS} WHERE merchant_id = $1 AND role = 'owner' AND disabled_at IS NULL ORDER BY id LIMIT 1"
    ))
    .bind(merchant)
    .optional(source, read)
}

/// Those who may do everything and are not locked out, holding their rows, so that two cannot
/// lock each other out at once.
pub fn lock_owners(tx: &mut Tx<'_>, merchant: MerchantId) -> Result<Vec<Staff>, DbError> {
    sql(format!(
        "{COLUMNS} WHERE merchant_id = $1 AND role = 'owner' AND disabled_at IS NULL ORDER BY id {{FOR UPDATE}}"
    ))
    .bind(merchant)
    .all(tx, read)
}

/// When each person was last here.
pub fn last_seen(
    source: &mut impl Source,
    merchant: MerchantId,
) -> Result<Vec<(StaffId, Timestamp)>, DbError> {
    sql("SELECT staff_id, max(last_seen_at) AS seen FROM sessions
          WHERE merchant_id = $1 AND staff_id IN (SELECT id FROM staff WHERE merchant_id = $1)
          GROUP BY staff_id")
    .bind(merchant)
    .all(source, |row| Ok((row.get("staff_id")?, row.get("seen")?)))
}

/// Keeps a new password, if the one before is still the one that was looked at.
pub fn set_password(tx: &mut Tx<'_>, staff: &Staff, password_hash: &Secret<String>) -> Result<bool, DbError> {
    let before = staff.password_hash.as_ref().map_or("", |hash| hash.expose().as_str());
    let changed = sql("UPDATE staff SET password_hash = $1
          WHERE merchant_id = $2 AND id = $3 AND COALESCE(password_hash, '') = $4")
    .bind(password_hash)
    .bind(staff.merchant)
    .bind(staff.id)
    .bind(before)
    .execute(tx)?;
    Ok(changed == 1)
}

/// Keeps the second step's secret, or forgets it.
pub fn set_totp(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    id: StaffId,
    sealed: Option<&Vec<u8>>,
    enabled_at: Option<Timestamp>,
) -> Result<(), DbError> {
    sql("UPDATE staff SET totp_sealed = $1, totp_enabled_at = $2 WHERE merchant_id = $3 AND id = $4")
        .bind(sealed)
        .bind(enabled_at)
        .bind(merchant)
        .bind(id)
        .change_one(tx)
}

/// Spends a code's time step. Of two requests with the same code, one gets it.
pub fn take_totp_step(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    id: StaffId,
    step: i64,
) -> Result<bool, DbError> {
    let changed = sql("UPDATE staff SET totp_last_step = $1
          WHERE merchant_id = $2 AND id = $3 AND totp_last_step < $1")
    .bind(step)
    .bind(merchant)
    .bind(id)
    .execute(tx)?;
    Ok(changed == 1)
}

/// Gives somebody another role.
pub fn set_role(tx: &mut Tx<'_>, merchant: MerchantId, id: StaffId, role: Role) -> Result<(), DbError> {
    sql("UPDATE staff SET role = $1 WHERE merchant_id = $2 AND id = $3")
        .bind(role)
        .bind(merchant)
        .bind(id)
        .change_one(tx)
}

/// Locks somebody out or lets them in again.
pub fn set_disabled(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    id: StaffId,
    disabled_at: Option<Timestamp>,
) -> Result<(), DbError> {
    sql("UPDATE staff SET disabled_at = $1 WHERE merchant_id = $2 AND id = $3")
        .bind(disabled_at)
        .bind(merchant)
        .bind(id)
        .change_one(tx)
}

/// Writes the name that colleagues see.
pub fn set_name(tx: &mut Tx<'_>, merchant: MerchantId, id: StaffId, name: &str) -> Result<(), DbError> {
    sql("UPDATE staff SET name = $1 WHERE merchant_id = $2 AND id = $3")
        .bind(name)
        .bind(merchant)
        .bind(id)
        .change_one(tx)
}

/// Writes the address that somebody signs in with. The caller has looked whether it is taken.
pub fn set_email(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    id: StaffId,
    email: &EmailAddress,
) -> Result<(), DbError> {
    sql("UPDATE staff SET email = $1 WHERE merchant_id = $2 AND id = $3")
        .bind(email)
        .bind(merchant)
        .bind(id)
        .change_one(tx)
}

fn read(row: &mut Row) -> Result<Staff, DbError> {
    Ok(Staff {
        id: row.get("id")?,
        merchant: row.get("merchant_id")?,
        email: row.get("email")?,
        name: row.get("name")?,
        role: row.get("role")?,
        password_hash: row.get::<Option<String>>("password_hash")?.map(Secret::new),
        totp_sealed: row.get("totp_sealed")?,
        totp_enabled_at: row.get("totp_enabled_at")?,
        totp_last_step: row.get("totp_last_step")?,
        created_at: row.get("created_at")?,
        disabled_at: row.get("disabled_at")?,
    })
}
