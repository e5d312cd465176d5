//! Making a unit's secrets, and opening them.

use archive::{Protection, password};
use db::{DbError, Source};
use kernel::Secret;

use super::store::{self, Sealed};
use super::{CHOSEN_LENGTH_MIN, PasswordRule, Terms};
use crate::cx::Cx;
use crate::fulfillment::Grant;
use crate::orders::Line;
use crate::problem::{Code, Flow, Problem};
use crate::ring::{Ring, SealError};

/// How the archive of a grant's files is made.
#[derive(Debug)]
pub enum Packing {
    /// Where there are several, and each can be had by itself, too.
    IfSeveral,
    /// The archive is all there is.
    Always(Option<Protection>),
    /// It cannot be made before the buyer has chosen its password.
    AwaitsPassword,
}

/// The sealed data of a unit's archive is bound to its place.
fn seed_of(grant: &Grant) -> String {
    format!("archive seed {} {}", grant.line, grant.unit_no)
}

fn password_of(grant: &Grant) -> String {
    format!("archive password {} {}", grant.line, grant.unit_no)
}

/// Makes the secrets of a new unit's archive, where it is to be protected.
pub fn prepare(cx: &mut Cx<'_, '_>, terms: Option<&Terms>, grant: &Grant) -> Result<(), DbError> {
    let Some(rule) = terms.and_then(|terms| terms.password) else { return Ok(()) };
    let (seed, nonce) = (cx.draws.nonce::<32>(), cx.draws.nonce());
    let seed = cx.ring.seal(&seed_of(grant), nonce, &seed);
    let password = match rule {
        PasswordRule::Page | PasswordRule::Mail => {
            let drawn = password::generate(&kernel::SeededEntropy::of_key(cx.draws.nonce()));
            let nonce = cx.draws.nonce();
            Some(cx.ring.seal(&password_of(grant), nonce, drawn.expose().as_bytes()))
        }
        PasswordRule::Chosen => None,
    };
    store::insert(cx.tx, cx.merchant, (grant.line, grant.unit_no), &Sealed { seed, password }, cx.now)
}

/// How the archive of a grant is made.
pub fn packing(
    source: &mut impl Source,
    ring: &Ring,
    terms: Option<&Terms>,
    grant: &Grant,
) -> Result<Packing, DbError> {
    let Some(terms) = terms else { return Ok(Packing::IfSeveral) };
    if terms.password.is_none() {
        return Ok(Packing::Always(None));
    }
    let sealed = store::of_grant(source, grant)?;
    let sealed = sealed.ok_or_else(|| DbError::NotFound(format!("the archive of {}", grant.id)))?;
    let opened = protection(ring, grant, &sealed).map_err(|error| DbError::Other(error.to_string()))?;
    Ok(opened.map_or(Packing::AwaitsPassword, |protection| Packing::Always(Some(protection))))
}

fn protection(ring: &Ring, grant: &Grant, sealed: &Sealed) -> Result<Option<Protection>, SealError> {
    let Some(password) = opened_password(ring, grant, sealed)? else { return Ok(None) };
    let seed = ring.open(&seed_of(grant), &sealed.seed)?;
    let seed: [u8; 32] = seed.try_into().map_err(|_| SealError::Damaged)?;
    Protection::new(Secret::new(seed), password).map(Some).map_err(|_| SealError::Damaged)
}

fn opened_password(ring: &Ring, grant: &Grant, sealed: &Sealed) -> Result<Option<Secret<String>>, SealError> {
    let Some(sealed) = &sealed.password else { return Ok(None) };
    let plain = ring.open(&password_of(grant), sealed)?;
    String::from_utf8(plain).map(|text| Some(Secret::new(text))).map_err(|_| SealError::Damaged)
}

/// The password of a grant's archive, if it has one by now.
pub fn password(
    source: &mut impl Source,
    ring: &Ring,
    grant: &Grant,
) -> Result<Option<Secret<String>>, DbError> {
    let Some(sealed) = store::of_grant(source, grant)? else { return Ok(None) };
    opened_password(ring, grant, &sealed).map_err(|error| DbError::Other(error.to_string()))
}

/// The buyer chooses the password, once: what was downloaded with it stays of use.
pub fn choose(cx: &mut Cx<'_, '_>, grant: &Grant, text: &str) -> Flow<()> {
    password::check(text).map_err(|error| Problem::invalid("password", error))?;
    if text.chars().count() < CHOSEN_LENGTH_MIN {
        let text = format!("a password has at least {CHOSEN_LENGTH_MIN} characters");
        return Err(Problem::invalid("password", text).into());
    }
    let nonce = cx.draws.nonce();
    let sealed = cx.ring.seal(&password_of(grant), nonce, text.as_bytes());
    if store::choose(cx.tx, grant, &sealed)? {
        return Ok(());
    }
    Err(Problem::new(Code::Conflict, "this archive has a password already").into())
}

/// The password of one unit's archive.
#[derive(Debug)]
pub struct UnitPassword {
    /// The line's name.
    pub product: String,
    /// Which of its units.
    pub unit_no: u32,
    /// The password.
    pub password: Secret<String>,
}

/// The passwords that a mail of their own tells.
pub fn mailed(
    source: &mut impl Source,
    ring: &Ring,
    lines: &[Line],
    grants: &[Grant],
) -> Result<Vec<UnitPassword>, DbError> {
    let mut passwords = Vec::new();
    for grant in grants {
        let line = lines.iter().find(|line| line.id == grant.line && is_mailed(line));
        if let Some(line) = line
            && let Some(password) = password(source, ring, grant)?
        {
            passwords.push(UnitPassword { product: line.name.clone(), unit_no: grant.unit_no, password });
        }
    }
    Ok(passwords)
}

/// Whether a line's passwords come in a mail of their own.
pub fn is_mailed(line: &Line) -> bool {
    let rule = line.deliverables.archive.as_ref().and_then(|terms| terms.password);
    rule == Some(PasswordRule::Mail)
}
