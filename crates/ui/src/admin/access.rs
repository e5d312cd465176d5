//! Signing in, one's own account, and the sessions that are open.

use std::collections::BTreeMap;

use kernel::{SessionId, Span, Timestamp};
use serde::Serialize;

use super::sample::{bits, days_ago, minutes_ago};
use super::words::{LinkPurpose, Role, SignInProblem};
use crate::Template;
use crate::samples::{LONG, NOW, RIGHT_TO_LEFT, SHORT, text};

/// Field name to what is wrong with it.
pub type Errors = BTreeMap<String, String>;

/// templates/admin/sign_in.html - address and password.
///
/// Posts `email`, `password`, `next` to `/admin/sign-in`.
#[derive(Debug, Clone, Serialize)]
pub struct SignInPage {
    /// What was typed.
    pub email: String,
    /// Why it is asked again.
    pub problem: Option<SignInProblem>,
    /// The path to go on to, already checked to be one of ours.
    pub next: String,
}

/// templates/admin/sign_in_code.html - the second step, for who has turned it on.
///
/// Posts `code`, `next` to `/admin/sign-in/code`. The password's result is kept by the server.
#[derive(Debug, Clone, Serialize)]
pub struct SignInCodePage {
    /// Who is signing in.
    pub email: String,
    /// Why it is asked again.
    pub problem: Option<SignInProblem>,
    /// The path to go on to, already checked to be one of ours.
    pub next: String,
}

/// templates/admin/owner_link.html - where a link that signs staff in leads. Looking changes nothing.
///
/// Posts nothing but the token of the form to `action`, which consumes the link.
#[derive(Debug, Clone, Serialize)]
pub struct OwnerLinkPage {
    /// What the link is for.
    pub purpose: LinkPurpose,
    /// Whom it signs in.
    pub email: String,
    /// Until when it works.
    pub expires_at: Timestamp,
    /// The path of the page itself.
    pub action: String,
}

/// templates/admin/owner_link_over.html - the link was used, is too old, or never was one.
#[derive(Debug, Clone, Serialize)]
pub struct OwnerLinkOverPage {}

/// templates/admin/set_password.html - the first password, or a new one after a recovery link.
///
/// Posts `password`, `again` to `/admin/password`.
#[derive(Debug, Clone, Serialize)]
pub struct SetPasswordPage {
    /// Whose.
    pub email: String,
    /// The fewest characters it may have.
    pub length_min: u32,
    /// Field name to what is wrong with it.
    pub errors: Errors,
}

/// templates/admin/totp_setup.html - turning the second step on.
///
/// Posts `code` to `/admin/account/totp`. The secret is kept by the server until then.
#[derive(Debug, Clone, Serialize)]
pub struct TotpSetupPage {
    /// A whole `<svg>` element, dark modules on light, without style attributes. Made by the
    /// server from its own data: it is written as it is.
    pub qr_svg: String,
    /// The same as text, base32 in groups of four.
    pub secret: String,
    /// Whose name the app will show.
    pub email: String,
    /// Field name to what is wrong with it.
    pub errors: Errors,
}

/// templates/admin/account.html - one's own account.
///
/// Posts `name` to `/admin/account` and `current`, `password`, `again` to
/// `/admin/account/password`. Turning the second step off is confirmed at
/// `/admin/account/totp/off`.
#[derive(Debug, Clone, Serialize)]
pub struct AccountPage {
    /// As colleagues see it.
    pub name: String,
    /// What one signs in with.
    pub email: String,
    /// What one may do.
    pub role: Role,
    /// The fewest characters a password may have.
    pub length_min: u32,
    /// Since when the second step is on.
    pub totp_enabled_at: Option<Timestamp>,
    /// The browsers that are signed in.
    pub sessions: u32,
    /// Field name to what is wrong with it.
    pub errors: Errors,
}

/// templates/admin/sessions.html - the browsers one is signed in with.
///
/// Posts `session` to `/admin/sessions/revoke`, and nothing to `/admin/sessions/revoke-others`.
#[derive(Debug, Clone, Serialize)]
pub struct SessionsPage {
    /// The present one first.
    pub sessions: Vec<SessionRow>,
}

/// One signed-in browser.
#[derive(Debug, Clone, Serialize)]
pub struct SessionRow {
    /// What the form names it by.
    pub id: SessionId,
    /// Whether it is the one that asks.
    pub current: bool,
    /// Since when.
    pub created_at: Timestamp,
    /// When it last asked for something.
    pub last_seen_at: Timestamp,
    /// From which address.
    pub address: String,
    /// With which program: the header, or what was made of it ("Firefox on Linux").
    pub user_agent: String,
}

impl SessionRow {
    /// A session for samples.
    pub(super) fn sample(number: u128, current: bool) -> Self {
        Self {
            id: SessionId::from_bits(bits(number)),
            current,
            created_at: days_ago(4),
            last_seen_at: minutes_ago(if current { 0 } else { 190 }),
            address: text("2001:db8:85a3::8a2e:370:7334"),
            user_agent: text("Firefox 148 on Linux"),
        }
    }
}

/// Errors for samples.
pub(super) fn errors(pairs: &[(&str, &str)]) -> Errors {
    pairs.iter().map(|(field, why)| ((*field).to_owned(), (*why).to_owned())).collect()
}

impl Template for SignInPage {
    const NAME: &'static str = "admin/sign_in.html";

    fn samples() -> Vec<Self> {
        let page = |problem| Self { email: text("grace@shop.example"), problem, next: text("/admin") };
        vec![
            Self { email: String::new(), problem: None, next: text("/admin/orders?status=paid") },
            page(Some(SignInProblem::Wrong)),
            page(Some(SignInProblem::TooMany)),
            Self { email: text(LONG), ..page(Some(SignInProblem::Expired)) },
        ]
    }
}

impl Template for SignInCodePage {
    const NAME: &'static str = "admin/sign_in_code.html";

    fn samples() -> Vec<Self> {
        let page = |problem| Self { email: text("grace@shop.example"), problem, next: text("/admin") };
        vec![page(None), page(Some(SignInProblem::WrongCode))]
    }
}

impl Template for OwnerLinkPage {
    const NAME: &'static str = "admin/owner_link.html";

    fn samples() -> Vec<Self> {
        let page = |purpose| Self {
            purpose,
            email: text("grace@shop.example"),
            expires_at: NOW + Span::minutes(14),
            action: text("/admin/welcome/lgn_sample"),
        };
        vec![page(LinkPurpose::FirstOwner), page(LinkPurpose::Invitation), page(LinkPurpose::Recovery)]
    }
}

impl Template for OwnerLinkOverPage {
    const NAME: &'static str = "admin/owner_link_over.html";

    fn samples() -> Vec<Self> {
        vec![Self {}]
    }
}

impl Template for SetPasswordPage {
    const NAME: &'static str = "admin/set_password.html";

    fn samples() -> Vec<Self> {
        let page = |errors| Self { email: text("grace@shop.example"), length_min: 12, errors };
        vec![
            page(Errors::new()),
            page(errors(&[("password", "Use at least 12 characters."), ("again", LONG)])),
        ]
    }
}

impl Template for TotpSetupPage {
    const NAME: &'static str = "admin/totp_setup.html";

    fn samples() -> Vec<Self> {
        let page = |errors| Self {
            qr_svg: text(QR),
            secret: text("JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP"),
            email: text("grace@shop.example"),
            errors,
        };
        vec![
            page(Errors::new()),
            page(errors(&[("code", "This code is not the one for now. Is the phone's clock right?")])),
        ]
    }
}

/// The three corners of a code: enough to see how a real one will sit on the page.
const QR: &str = concat!(
    r##"<svg viewBox="0 0 29 29" width="29" height="29" shape-rendering="crispEdges" role="img" aria-label="QR"><path fill="#fff" d="M0 0h29v29H0z"/>"##,
    r##"<path fill="#000" d="M4 4h7v7H4zM18 4h7v7h-7zM4 18h7v7H4z"/><path fill="#fff" d="M5 5h5v5H5zM19 5h5v5h-5zM5 19h5v5H5z"/>"##,
    r##"<path fill="#000" d="M6 6h3v3H6zM20 6h3v3h-3zM6 20h3v3H6zM12 5h2v1h-2zM13 8h3v2h-3zM12 12h2v3h-2zM16 13h4v1h-4zM21 15h3v2h-3zM14 18h2v4h-2zM18 19h3v2h-3zM22 22h3v3h-3zM4 13h3v2H4zM8 14h2v2H8z"/></svg>"##
);

impl Template for AccountPage {
    const NAME: &'static str = "admin/account.html";

    fn samples() -> Vec<Self> {
        let page = Self {
            name: text("Grace Hopper"),
            email: text("grace@shop.example"),
            role: Role::Owner,
            length_min: 12,
            totp_enabled_at: Some(days_ago(40)),
            sessions: 3,
            errors: Errors::new(),
        };
        vec![
            page.clone(),
            Self {
                name: text(RIGHT_TO_LEFT),
                role: Role::ReadOnly,
                totp_enabled_at: None,
                sessions: 1,
                errors: errors(&[("current", "That is not your present password.")]),
                ..page
            },
        ]
    }
}

impl Template for SessionsPage {
    const NAME: &'static str = "admin/sessions.html";

    fn samples() -> Vec<Self> {
        let odd = SessionRow { user_agent: text(LONG), address: text(SHORT), ..SessionRow::sample(3, false) };
        vec![
            Self { sessions: vec![SessionRow::sample(1, true), SessionRow::sample(2, false), odd] },
            Self { sessions: vec![SessionRow::sample(1, true)] },
        ]
    }
}
