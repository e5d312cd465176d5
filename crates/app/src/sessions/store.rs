//! SQL of sessions and one-time links.

use db::{DbError, Row, Source, Tx, sql};
use kernel::{CustomerId, MerchantId, SessionId, StaffId, Timestamp};

use super::{Holder, LoginLink, Session, TOUCH_EVERY};

/// Writes a session with its token's hash.
pub fn insert(tx: &mut Tx<'_>, session: &Session, token_hash: [u8; 32]) -> Result<(), DbError> {
    sql("INSERT INTO sessions (id, merchant_id, token_hash, staff_id, customer_id, created_at, last_seen_at,
            expires_at, address, user_agent)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
    .bind(session.id)
    .bind(session.merchant)
    .bind(token_hash)
    .bind(session.holder.staff())
    .bind(session.holder.customer())
    .bind(session.created_at)
    .bind(session.last_seen_at)
    .bind(session.expires_at)
    .bind(&session.address)
    .bind(&session.user_agent)
    .execute(tx)
    .map(drop)
}

/// The session of a token, live or not.
pub fn by_token(
    source: &mut impl Source,
    merchant: MerchantId,
    token_hash: [u8; 32],
) -> Result<Option<Session>, DbError> {
    sql("SELECT id, merchant_id, staff_id, customer_id, created_at, last_seen_at, expires_at, revoked_at, address,
                user_agent
           FROM sessions WHERE merchant_id = $1 AND token_hash = $2")
    .bind(merchant)
    .bind(token_hash)
    .optional(source, read)
}

/// Writes down that a session is used, at most once in [`TOUCH_EVERY`].
pub fn touch(tx: &mut Tx<'_>, merchant: MerchantId, id: SessionId, now: Timestamp) -> Result<u64, DbError> {
    sql("UPDATE sessions SET last_seen_at = $1
          WHERE merchant_id = $2 AND id = $3 AND last_seen_at <= $4 AND revoked_at IS NULL")
    .bind(now)
    .bind(merchant)
    .bind(id)
    .bind(now - TOUCH_EVERY)
    .execute(tx)
}

/// Ends one session of this holder. Answers whether it was still open.
pub fn revoke(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    holder: Holder,
    id: SessionId,
    now: Timestamp,
) -> Result<bool, DbError> {
    let changed = sql("UPDATE sessions SET revoked_at = $1
          WHERE merchant_id = $2 AND id = $3 AND (staff_id = $4 OR customer_id = $5) AND revoked_at IS NULL")
    .bind(now)
    .bind(merchant)
    .bind(id)
    .bind(holder.staff())
    .bind(holder.customer())
    .execute(tx)?;
    Ok(changed == 1)
}

/// Ends the session of a token, whosever it is.
pub fn revoke_token(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    token_hash: [u8; 32],
    now: Timestamp,
) -> Result<u64, DbError> {
    sql("UPDATE sessions SET revoked_at = $1 WHERE merchant_id = $2 AND token_hash = $3 AND revoked_at IS NULL")
        .bind(now)
        .bind(merchant)
        .bind(token_hash)
        .execute(tx)
}

/// Ends all sessions of a holder but one. Answers how many were open.
pub fn revoke_all(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    holder: Holder,
    except: Option<SessionId>,
    now: Timestamp,
) -> Result<u64, DbError> {
    let but = except.map(|id| id.to_string()).unwrap_or_default();
    let text = match holder {
        Holder::Staff(_) => {
            "UPDATE sessions SET revoked_at = $1
              WHERE merchant_id = $2 AND staff_id = $3 AND id <> $4 AND revoked_at IS NULL"
        }
        Holder::Customer(_) => {
            "UPDATE sessions SET revoked_at = $1
              WHERE merchant_id = $2 AND customer_id = $3 AND id <> $4 AND revoked_at IS NULL"
        }
    };
    sql(text).bind(now).bind(merchant).bind(holder.to_string()).bind(but).execute(tx)
}

/// The sessions of a holder that have not been ended, newest first.
pub fn of_holder(
    source: &mut impl Source,
    merchant: MerchantId,
    holder: Holder,
    now: Timestamp,
    most: u32,
) -> Result<Vec<Session>, DbError> {
    let text = match holder {
        Holder::Staff(_) => {
            "SELECT id, merchant_id, staff_id, customer_id, created_at, last_seen_at, expires_at, revoked_at, address,
                    user_agent
               FROM sessions
              WHERE merchant_id = $1 AND staff_id = $2 AND revoked_at IS NULL AND expires_at > $3 AND last_seen_at > $4
              ORDER BY id DESC LIMIT $5"
        }
        Holder::Customer(_) => {
            "SELECT id, merchant_id, staff_id, customer_id, created_at, last_seen_at, expires_at, revoked_at, address,
                    user_agent
               FROM sessions
              WHERE merchant_id = $1 AND customer_id = $2 AND revoked_at IS NULL AND expires_at > $3
                AND last_seen_at > $4
              ORDER BY id DESC LIMIT $5"
        }
    };
    sql(text)
        .bind(merchant)
        .bind(holder.to_string())
        .bind(now)
        .bind(now - holder.idle_life())
        .bind(most)
        .all(source, read)
}

/// Writes a one-time link with its token's hash.
pub fn insert_link(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    link: &LoginLink,
    token_hash: [u8; 32],
    now: Timestamp,
) -> Result<(), DbError> {
    sql("INSERT INTO login_tokens (id, merchant_id, token_hash, staff_id, customer_id, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)")
    .bind(link.id)
    .bind(merchant)
    .bind(token_hash)
    .bind(link.holder.staff())
    .bind(link.holder.customer())
    .bind(now)
    .bind(link.expires_at)
    .execute(tx)
    .map(drop)
}

/// The link of a token, if it can still be used. Changes nothing.
pub fn usable_link(
    source: &mut impl Source,
    merchant: MerchantId,
    token_hash: [u8; 32],
    now: Timestamp,
) -> Result<Option<LoginLink>, DbError> {
    sql("SELECT id, staff_id, customer_id, expires_at FROM login_tokens
          WHERE merchant_id = $1 AND token_hash = $2 AND consumed_at IS NULL AND expires_at > $3")
    .bind(merchant)
    .bind(token_hash)
    .bind(now)
    .optional(source, read_link)
}

/// Ends the one-time links of a customer or of somebody of the back office that were not used.
/// Answers how many there were.
pub fn void_links(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    holder: Holder,
    now: Timestamp,
) -> Result<u64, DbError> {
    // Links live for minutes, so those that have not run out are few, and have an index.
    sql("UPDATE login_tokens SET consumed_at = $1
          WHERE merchant_id = $2 AND (staff_id = $3 OR customer_id = $4) AND consumed_at IS NULL AND expires_at > $1")
    .bind(now)
    .bind(merchant)
    .bind(holder.staff())
    .bind(holder.customer())
    .execute(tx)
}

/// Spends a link. Of any number of requests at once, one gets it.
pub fn consume_link(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    token_hash: [u8; 32],
    now: Timestamp,
) -> Result<Option<LoginLink>, DbError> {
    sql("UPDATE login_tokens SET consumed_at = $1
          WHERE merchant_id = $2 AND token_hash = $3 AND consumed_at IS NULL AND expires_at > $1
      RETURNING id, staff_id, customer_id, expires_at")
    .bind(now)
    .bind(merchant)
    .bind(token_hash)
    .optional(tx, read_link)
}

/// Makes the links of a holder that have not been used useless.
pub fn spoil_links(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    holder: Holder,
    now: Timestamp,
) -> Result<u64, DbError> {
    sql("UPDATE login_tokens SET consumed_at = $1
          WHERE merchant_id = $2 AND (staff_id = $3 OR customer_id = $4) AND consumed_at IS NULL
            AND expires_at > $1")
    .bind(now)
    .bind(merchant)
    .bind(holder.staff())
    .bind(holder.customer())
    .execute(tx)
}

/// Forgets sessions and links that ended before this time. Answers how many.
pub fn prune(tx: &mut Tx<'_>, before: Timestamp, most: u32) -> Result<u64, DbError> {
    let sessions = sql("DELETE FROM sessions WHERE id IN
            (SELECT id FROM sessions WHERE expires_at < $1 ORDER BY id LIMIT $2)")
    .bind(before)
    .bind(most)
    .execute(tx)?;
    let links = sql("DELETE FROM login_tokens WHERE id IN
            (SELECT id FROM login_tokens WHERE expires_at < $1 ORDER BY id LIMIT $2)")
    .bind(before)
    .bind(most)
    .execute(tx)?;
    Ok(sessions + links)
}

fn read(row: &mut Row) -> Result<Session, DbError> {
    Ok(Session {
        id: row.get("id")?,
        merchant: row.get("merchant_id")?,
        holder: holder(row)?,
        created_at: row.get("created_at")?,
        last_seen_at: row.get("last_seen_at")?,
        expires_at: row.get("expires_at")?,
        revoked_at: row.get("revoked_at")?,
        address: row.get("address")?,
        user_agent: row.get("user_agent")?,
    })
}

fn read_link(row: &mut Row) -> Result<LoginLink, DbError> {
    Ok(LoginLink { id: row.get("id")?, holder: holder(row)?, expires_at: row.get("expires_at")? })
}

/// The schema holds that exactly one of the two is there.
fn holder(row: &mut Row) -> Result<Holder, DbError> {
    let staff: Option<StaffId> = row.get("staff_id")?;
    match staff {
        Some(staff) => Ok(Holder::Staff(staff)),
        None => row.get::<CustomerId>("customer_id").map(Holder::Customer),
    }
}
