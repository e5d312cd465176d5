//! What happens to people: invited, signed in, changed, locked out. Every act is recorded.

use db::{DbError, Inserted};
use kernel::{EmailAddress, Secret, SessionId, StaffId, Timestamp};

use super::steps::Waiting;
use super::{NAME_LENGTH_MAX, Role, STAFF_MAX, Staff, store, totp, totp_context};
use crate::cx::{Actor, Cx};
use crate::events;
use crate::merchants;
use crate::messages::{self, MessageKind};
use crate::problem::{Code, Flow, Problem};
use crate::sessions::{self, Holder, INVITATION_LIFE, NewLink, Opened, Origin};

/// A link for the owner of a shop in which nobody can sign in yet: makes the owner if there is
/// none. `None` once an owner has a password: a restart must not hand out a way in.
pub fn owner_link(cx: &mut Cx<'_, '_>) -> Flow<Option<NewLink>> {
    let owners = store::lock_owners(cx.tx, cx.merchant)?;
    if owners.iter().any(|owner| owner.password_hash.is_some()) {
        return Ok(None);
    }
    let owner = match owners.into_iter().next() {
        Some(owner) => owner,
        None => {
            let merchant = merchants::store::by_id(cx.tx, cx.merchant)?;
            add(cx, &merchant.support_email, "", Role::Owner)?
        }
    };
    sessions::store::spoil_links(cx.tx, cx.merchant, Holder::Staff(owner.id), cx.now)?;
    Ok(Some(sessions::flow::make_link(cx, Holder::Staff(owner.id))?))
}

/// A link for somebody who lost their password, made by the operator at the shell.
pub fn recovery_link(cx: &mut Cx<'_, '_>, email: &EmailAddress) -> Flow<NewLink> {
    let staff = store::by_email(cx.tx, cx.merchant, email)?;
    let staff = staff.filter(|staff| staff.disabled_at.is_none());
    let staff = staff.ok_or_else(|| Problem::not_found("person who may sign in"))?;
    events::flow::record(cx, None, staff.id, "staff.recovery_link", serde_json::json!({}))?;
    Ok(sessions::flow::make_link(cx, Holder::Staff(staff.id))?)
}

/// Invites somebody: the account, a link, and the mail with it.
pub fn invite(cx: &mut Cx<'_, '_>, email: &EmailAddress, name: &str, role: Role) -> Flow<(Staff, NewLink)> {
    if store::list(cx.tx, cx.merchant)?.len() >= usize::try_from(STAFF_MAX).unwrap_or(usize::MAX) {
        return Err(Problem::conflict(format!("a shop has at most {STAFF_MAX} people")).into());
    }
    let staff = add(cx, email, &valid_name(name)?, role)?;
    let link = send_link(cx, &staff)?;
    Ok((staff, link))
}

/// Invites somebody again who has not used their invitation.
pub fn invite_again(cx: &mut Cx<'_, '_>, id: StaffId) -> Flow<(Staff, NewLink)> {
    let staff = known(cx, id)?;
    if staff.password_hash.is_some() || staff.disabled_at.is_some() {
        return Err(Problem::conflict("only somebody who has not signed in yet is invited again").into());
    }
    sessions::store::spoil_links(cx.tx, cx.merchant, Holder::Staff(id), cx.now)?;
    let link = send_link(cx, &staff)?;
    Ok((staff, link))
}

fn add(cx: &mut Cx<'_, '_>, email: &EmailAddress, name: &str, role: Role) -> Flow<Staff> {
    let staff = Staff {
        id: StaffId::mint(cx.draws),
        merchant: cx.merchant,
        email: email.clone(),
        name: name.to_owned(),
        role,
        password_hash: None,
        totp_sealed: None,
        totp_enabled_at: None,
        totp_last_step: 0,
        created_at: cx.now,
        disabled_at: None,
    };
    if store::insert(cx.tx, &staff)? == Inserted::Existing {
        return Err(taken(email).into());
    }
    events::flow::record(cx, None, staff.id, "staff.invited", serde_json::json!({ "role": role }))?;
    Ok(staff)
}

fn taken(email: &EmailAddress) -> Problem {
    Problem::new(Code::Taken, format!("{email} is in use by somebody here already")).at("email")
}

fn send_link(cx: &mut Cx<'_, '_>, staff: &Staff) -> Flow<NewLink> {
    let made = sessions::flow::make_link_for(cx, Holder::Staff(staff.id), INVITATION_LIFE)?;
    let inviter = match cx.actor {
        Actor::Staff(id) => store::by_id(cx.tx, cx.merchant, id)?,
        _ => None,
    };
    let context = serde_json::json!({
        "inviter": inviter.as_ref().map(Staff::label),
        "role": staff.role,
        "hours": INVITATION_LIFE.as_seconds() / 3_600,
    });
    let kind = MessageKind::StaffInvitation;
    messages::flow::let_in(cx, kind, &staff.email, &made, "/admin/welcome", context)?;
    Ok(made)
}

/// What became of a step of a sign-in.
#[derive(Debug)]
pub enum Entered {
    /// Signed in.
    In(Opened),
    /// The account changed meanwhile, or the code was not the one: begin again or try again.
    Not,
}

/// Signs somebody in whose steps are all done.
pub fn enter(cx: &mut Cx<'_, '_>, waiting: &Waiting, origin: &Origin) -> Flow<Entered> {
    match unchanged(cx, waiting)? {
        Some(staff) if !staff.has_totp() => open(cx, &staff, origin),
        _ => Ok(Entered::Not),
    }
}

/// Signs somebody in by the code of their second step, which is spent by it.
pub fn enter_with_code(cx: &mut Cx<'_, '_>, waiting: &Waiting, code: &str, origin: &Origin) -> Flow<Entered> {
    let Some(staff) = unchanged(cx, waiting)? else { return Ok(Entered::Not) };
    if !staff.has_totp() || !spend_code(cx, &staff, code)? {
        return Ok(Entered::Not);
    }
    open(cx, &staff, origin)
}

fn open(cx: &mut Cx<'_, '_>, staff: &Staff, origin: &Origin) -> Flow<Entered> {
    cx.actor = Actor::Staff(staff.id);
    Ok(Entered::In(sessions::flow::open(cx, Holder::Staff(staff.id), origin)?))
}

fn unchanged(cx: &mut Cx<'_, '_>, waiting: &Waiting) -> Result<Option<Staff>, DbError> {
    let staff = store::lock(cx.tx, cx.merchant, waiting.staff)?;
    Ok(staff.filter(|staff| waiting.fits(staff)))
}

fn spend_code(cx: &mut Cx<'_, '_>, staff: &Staff, code: &str) -> Flow<bool> {
    let Some(secret) = totp_secret(cx, staff)? else { return Ok(false) };
    let Some(step) = totp::step_of(&secret, code, cx.now, staff.totp_last_step) else { return Ok(false) };
    Ok(store::take_totp_step(cx.tx, cx.merchant, staff.id, step)?)
}

fn totp_secret(cx: &Cx<'_, '_>, staff: &Staff) -> Flow<Option<Secret<Vec<u8>>>> {
    let Some(sealed) = &staff.totp_sealed else { return Ok(None) };
    let plain = cx.ring.open(&totp_context(staff.id), sealed);
    Ok(Some(Secret::new(plain.map_err(|error| Problem::new(Code::Internal, error.to_string()))?)))
}

/// Records a sign-in that failed, also for an address that nobody here has: the log must not
/// be what tells the two apart.
pub fn note_failure(cx: &mut Cx<'_, '_>, staff: Option<StaffId>, address: &str, step: &str) -> Flow<()> {
    let subject = staff.map_or_else(|| cx.merchant.to_string(), |id| id.to_string());
    let detail = serde_json::json!({ "address": address, "step": step });
    events::flow::record(cx, None, subject, "staff.sign_in_failed", detail)?;
    Ok(())
}

/// Spends a link of a person of the back office. The next step is a new password.
pub fn use_link(cx: &mut Cx<'_, '_>, token: &sessions::Token) -> Flow<Option<Staff>> {
    let Some(link) = sessions::flow::consume_link(cx, token)? else { return Ok(None) };
    let Some(id) = link.holder.staff() else { return Ok(None) };
    let staff = store::by_id(cx.tx, cx.merchant, id)?;
    Ok(staff.filter(|staff| staff.disabled_at.is_none()))
}

/// Keeps a new password. Every other session of that person is over, and every unused link.
pub fn set_password(
    cx: &mut Cx<'_, '_>,
    staff: &Staff,
    password_hash: &Secret<String>,
    keep: Option<SessionId>,
) -> Flow<Staff> {
    if !store::set_password(cx.tx, staff, password_hash)? {
        return Err(Problem::conflict("the password was changed elsewhere in the meantime").into());
    }
    let holder = Holder::Staff(staff.id);
    sessions::flow::revoke_all(cx, holder, keep)?;
    sessions::store::spoil_links(cx.tx, cx.merchant, holder, cx.now)?;
    events::flow::record(cx, None, staff.id, "staff.password_changed", serde_json::json!({}))?;
    Ok(Staff { password_hash: Some(password_hash.clone()), ..staff.clone() })
}

/// Turns the second step on, by a code that proves that the app has the secret.
pub fn confirm_totp(cx: &mut Cx<'_, '_>, id: StaffId, code: &str, session: SessionId) -> Flow<()> {
    let staff = known(cx, id)?;
    if staff.has_totp() {
        return Err(Problem::conflict("the second step is on already; turn it off first").into());
    }
    let secret = totp::offered(cx.ring, id, session);
    let step = totp::step_of(&secret, code, cx.now, staff.totp_last_step);
    let wrong = || Problem::invalid("code", "this code is not the one for now; is the phone's clock right?");
    let step = step.ok_or_else(wrong)?;
    if !store::take_totp_step(cx.tx, cx.merchant, id, step)? {
        return Err(wrong().into());
    }
    let sealed = cx.ring.seal(&totp_context(id), cx.draws.nonce(), secret.expose());
    store::set_totp(cx.tx, cx.merchant, id, Some(&sealed), Some(cx.now))?;
    sessions::flow::revoke_all(cx, Holder::Staff(id), Some(session))?;
    events::flow::record(cx, None, id, "staff.totp_enabled", serde_json::json!({}))?;
    Ok(())
}

/// Turns the second step off. The caller has seen the password again, or is the operator.
pub fn totp_off(cx: &mut Cx<'_, '_>, id: StaffId) -> Flow<()> {
    known(cx, id)?;
    store::set_totp(cx.tx, cx.merchant, id, None, None)?;
    events::flow::record(cx, None, id, "staff.totp_disabled", serde_json::json!({}))?;
    Ok(())
}

/// Gives somebody else another role. Their sessions end: rights are those of a fresh sign-in.
pub fn set_role(cx: &mut Cx<'_, '_>, by: StaffId, id: StaffId, role: Role) -> Flow<()> {
    let staff = somebody_else(cx, by, id)?;
    if staff.role == role {
        return Ok(());
    }
    keep_an_owner(cx, &staff)?;
    store::set_role(cx.tx, cx.merchant, id, role)?;
    sessions::flow::revoke_all(cx, Holder::Staff(id), None)?;
    let detail = serde_json::json!({ "was": staff.role, "role": role });
    events::flow::record(cx, None, id, "staff.role_changed", detail)?;
    Ok(())
}

/// Locks somebody else out, at once: sessions and links are dead when this is committed.
pub fn disable(cx: &mut Cx<'_, '_>, by: StaffId, id: StaffId) -> Flow<()> {
    let staff = somebody_else(cx, by, id)?;
    keep_an_owner(cx, &staff)?;
    store::set_disabled(cx.tx, cx.merchant, id, Some(staff.disabled_at.unwrap_or(cx.now)))?;
    sessions::flow::revoke_all(cx, Holder::Staff(id), None)?;
    sessions::store::spoil_links(cx.tx, cx.merchant, Holder::Staff(id), cx.now)?;
    events::flow::record(cx, None, id, "staff.disabled", serde_json::json!({}))?;
    Ok(())
}

/// Lets somebody in again, with the password they had.
pub fn enable(cx: &mut Cx<'_, '_>, by: StaffId, id: StaffId) -> Flow<()> {
    somebody_else(cx, by, id)?;
    store::set_disabled(cx.tx, cx.merchant, id, None)?;
    events::flow::record(cx, None, id, "staff.enabled", serde_json::json!({}))?;
    Ok(())
}

/// Changes one's own name.
pub fn rename(cx: &mut Cx<'_, '_>, id: StaffId, name: &str) -> Flow<()> {
    let name = valid_name(name)?;
    store::set_name(cx.tx, cx.merchant, id, &name)?;
    events::flow::record(cx, None, id, "staff.renamed", serde_json::json!({}))?;
    Ok(())
}

/// Changes the address one signs in with. The caller has seen the password again.
pub fn set_email(cx: &mut Cx<'_, '_>, id: StaffId, email: &EmailAddress, keep: SessionId) -> Flow<()> {
    if let Some(other) = store::by_email(cx.tx, cx.merchant, email)? {
        return if other.id == id { Ok(()) } else { Err(taken(email).into()) };
    }
    store::set_email(cx.tx, cx.merchant, id, email)?;
    sessions::flow::revoke_all(cx, Holder::Staff(id), Some(keep))?;
    events::flow::record(cx, None, id, "staff.email_changed", serde_json::json!({}))?;
    Ok(())
}

fn known(cx: &mut Cx<'_, '_>, id: StaffId) -> Flow<Staff> {
    let staff = store::lock(cx.tx, cx.merchant, id)?;
    staff.ok_or_else(|| Problem::not_found("person").into())
}

fn somebody_else(cx: &mut Cx<'_, '_>, by: StaffId, id: StaffId) -> Flow<Staff> {
    let staff = known(cx, id)?;
    if by == id {
        return Err(Problem::conflict("nobody changes their own role or locks themselves out").into());
    }
    Ok(staff)
}

fn keep_an_owner(cx: &mut Cx<'_, '_>, staff: &Staff) -> Flow<()> {
    let owners = store::lock_owners(cx.tx, cx.merchant)?;
    let others = owners.iter().any(|owner| owner.id != staff.id && owner.password_hash.is_some());
    if staff.role == Role::Owner && !others {
        return Err(Problem::conflict("a shop needs at least one owner who can sign in").into());
    }
    Ok(())
}

fn valid_name(text: &str) -> Result<String, Problem> {
    let name = text.trim();
    if name.chars().count() > NAME_LENGTH_MAX || name.chars().any(char::is_control) {
        return Err(Problem::invalid("name", "a name has at most 100 printable characters"));
    }
    Ok(name.to_owned())
}

/// Who somebody is, with when they were last here.
pub type Seen = (Staff, Option<Timestamp>);

/// Everybody, those who can sign in first.
pub fn people(source: &mut impl db::Source, merchant: kernel::MerchantId) -> Result<Vec<Seen>, DbError> {
    let seen = store::last_seen(source, merchant)?;
    let mut people: Vec<Seen> = store::list(source, merchant)?
        .into_iter()
        .map(|staff| {
            let last = seen.iter().find(|(id, _)| *id == staff.id).map(|(_, at)| *at);
            (staff, last)
        })
        .collect();
    people.sort_by_key(|(staff, _)| (staff.disabled_at.is_some(), staff.password_hash.is_none(), staff.id));
    Ok(people)
}
