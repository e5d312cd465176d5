//! Opening, finding and ending sessions; making and spending one-time links.

use db::{DbError, Source};
use kernel::{LoginTokenId, MerchantId, SessionId, Span, Timestamp};

use super::{Holder, LINK_LIFE, LoginLink, NewLink, Opened, Origin, Session, Token, USER_AGENT_MAX, store};
use crate::cx::Cx;
use crate::events;
use crate::problem::{Flow, Problem};

/// Signs somebody in. The token is always a new one, and the session that the browser had
/// before is over.
pub fn open(cx: &mut Cx<'_, '_>, holder: Holder, origin: &Origin) -> Result<Opened, DbError> {
    if let Some(before) = &origin.replaces {
        store::revoke_token(cx.tx, cx.merchant, before.hash(), cx.now)?;
    }
    let token = Token::of(cx.draws.nonce());
    let session = Session {
        id: SessionId::mint(cx.draws),
        merchant: cx.merchant,
        holder,
        created_at: cx.now,
        last_seen_at: cx.now,
        expires_at: cx.now + holder.whole_life(),
        revoked_at: None,
        address: origin.address.clone(),
        user_agent: origin.user_agent.chars().take(USER_AGENT_MAX).collect(),
    };
    store::insert(cx.tx, &session, token.hash())?;
    let detail = serde_json::json!({ "session": session.id, "address": session.address });
    events::flow::record(cx, None, holder, &holder.event("signed_in"), detail)?;
    Ok(Opened { session, token })
}

/// The live session of a token.
pub fn find(
    source: &mut impl Source,
    merchant: MerchantId,
    token: &Token,
    now: Timestamp,
) -> Result<Option<Session>, DbError> {
    let session = store::by_token(source, merchant, token.hash())?;
    Ok(session.filter(|session| session.is_live(now)))
}

/// Writes down that a session is used.
pub fn touch(cx: &mut Cx<'_, '_>, session: SessionId) -> Result<(), DbError> {
    store::touch(cx.tx, cx.merchant, session, cx.now).map(drop)
}

/// Ends one session of this holder; somebody else's is not found.
pub fn revoke(cx: &mut Cx<'_, '_>, holder: Holder, id: SessionId) -> Flow<()> {
    end(cx, holder, id, "session_revoked")
}

/// Ends the session that asks for it.
pub fn sign_out(cx: &mut Cx<'_, '_>, session: &Session) -> Flow<()> {
    end(cx, session.holder, session.id, "signed_out")
}

fn end(cx: &mut Cx<'_, '_>, holder: Holder, id: SessionId, word: &str) -> Flow<()> {
    if !store::revoke(cx.tx, cx.merchant, holder, id, cx.now)? {
        return Err(Problem::not_found("session").into());
    }
    events::flow::record(cx, None, holder, &holder.event(word), serde_json::json!({ "session": id }))?;
    Ok(())
}

/// Ends all sessions of this holder, but one if so wished. Answers how many there were.
pub fn revoke_all(cx: &mut Cx<'_, '_>, holder: Holder, except: Option<SessionId>) -> Result<u64, DbError> {
    let ended = store::revoke_all(cx.tx, cx.merchant, holder, except, cx.now)?;
    if ended > 0 {
        let detail = serde_json::json!({ "sessions": ended, "kept": except });
        events::flow::record(cx, None, holder, &holder.event("sessions_revoked"), detail)?;
    }
    Ok(ended)
}

/// Makes a one-time link. Earlier ones of the same holder keep working until their time is over.
pub fn make_link(cx: &mut Cx<'_, '_>, holder: Holder) -> Result<NewLink, DbError> {
    make_link_for(cx, holder, LINK_LIFE)
}

/// [`make_link`] for so long.
pub fn make_link_for(cx: &mut Cx<'_, '_>, holder: Holder, life: Span) -> Result<NewLink, DbError> {
    let token = Token::of(cx.draws.nonce());
    let link = LoginLink { id: LoginTokenId::mint(cx.draws), holder, expires_at: cx.now + life };
    store::insert_link(cx.tx, cx.merchant, &link, token.hash(), cx.now)?;
    events::flow::record(
        cx,
        None,
        holder,
        &holder.event("link_made"),
        serde_json::json!({ "link": link.id }),
    )?;
    Ok(NewLink { link, token })
}

/// What a link is for, if it still works. Changes nothing.
pub fn look_at_link(
    source: &mut impl Source,
    merchant: MerchantId,
    token: &Token,
    now: Timestamp,
) -> Result<Option<LoginLink>, DbError> {
    store::usable_link(source, merchant, token.hash(), now)
}

/// Spends a link: the first request gets its holder, every other gets nothing.
pub fn consume_link(cx: &mut Cx<'_, '_>, token: &Token) -> Result<Option<LoginLink>, DbError> {
    let link = store::consume_link(cx.tx, cx.merchant, token.hash(), cx.now)?;
    if let Some(link) = &link {
        let detail = serde_json::json!({ "link": link.id });
        events::flow::record(cx, None, link.holder, &link.holder.event("link_used"), detail)?;
    }
    Ok(link)
}
