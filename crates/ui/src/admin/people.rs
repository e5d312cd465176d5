//! Who works in the back office: the list, invitations, and keys for programs.

use kernel::{ApiKeyId, Span, StaffId, Timestamp};
use serde::Serialize;

use super::access::{Errors, errors};
use super::list::Choice;
use super::sample::{bits, days_ago, minutes_ago};
use super::words::{Role, StaffState, Word};
use crate::Template;
use crate::samples::{LONG, NOW, RIGHT_TO_LEFT, text};

/// templates/admin/staff.html - everybody who may sign in, and a form to invite.
///
/// The form posts `email`, `name`, `role` to `/admin/staff`. Per person: `role` to
/// `/admin/staff/{id}/role`; `/admin/staff/{id}/disable` is confirmed on a page of its own; nothing
/// to `/admin/staff/{id}/enable` and `/admin/staff/{id}/invite`.
#[derive(Debug, Clone, Serialize)]
pub struct StaffPage {
    /// Active ones first.
    pub people: Vec<StaffRow>,
    /// What was typed into the invitation.
    pub invitation: InvitationForm,
    /// Every role there is.
    pub roles: Vec<Choice>,
    /// Field name to what is wrong with it.
    pub errors: Errors,
}

/// An invitation as it was typed.
#[derive(Debug, Clone, Serialize)]
pub struct InvitationForm {
    /// Where it goes.
    pub email: String,
    /// As colleagues will see them.
    pub name: String,
    /// What they will be allowed to do.
    pub role: Role,
}

/// A person.
#[derive(Debug, Clone, Serialize)]
pub struct StaffRow {
    /// Their id.
    pub id: StaffId,
    /// Their name; may be empty.
    pub name: String,
    /// What they sign in with.
    pub email: String,
    /// What they may do.
    pub role: Role,
    /// Whether they can sign in.
    pub state: StaffState,
    /// Whether their sign-in has a second step.
    pub has_totp: bool,
    /// When they were last here.
    pub last_seen_at: Option<Timestamp>,
    /// Whether it is the one that asks: nobody locks themselves out.
    pub is_me: bool,
}

/// templates/admin/invited.html - after an invitation: the link, shown once, for when mail does not get through.
#[derive(Debug, Clone, Serialize)]
pub struct InvitedPage {
    /// Who was invited.
    pub email: String,
    /// The link that signs them in, whole.
    pub link_url: String,
    /// Until when it works.
    pub expires_at: Timestamp,
}

/// templates/admin/api_keys.html - keys for programs.
///
/// Revoking is confirmed at `/admin/api-keys/{id}/revoke`.
#[derive(Debug, Clone, Serialize)]
pub struct ApiKeysPage {
    /// The ones in force first.
    pub keys: Vec<ApiKeyRow>,
}

/// A key, without its secret.
#[derive(Debug, Clone, Serialize)]
pub struct ApiKeyRow {
    /// Its id.
    pub id: ApiKeyId,
    /// What it is for.
    pub name: String,
    /// What it may do, such as `orders:read`.
    pub scopes: Vec<String>,
    /// Since when.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
    /// Since when it is dead.
    pub revoked_at: Option<Timestamp>,
}

/// templates/admin/api_key_new.html - a new key.
///
/// Posts `name` and `scope`, once per scope, to `/admin/api-keys`.
#[derive(Debug, Clone, Serialize)]
pub struct NewApiKeyPage {
    /// What it is for.
    pub name: String,
    /// Every scope there is.
    pub scopes: Vec<ScopeChoice>,
    /// Field name to what is wrong with it.
    pub errors: Errors,
}

/// A scope to choose.
#[derive(Debug, Clone, Serialize)]
pub struct ScopeChoice {
    /// As the API knows it: `orders:read`.
    pub scope: String,
    /// What it allows, in the reader's language.
    pub meaning: String,
    /// Whether it is chosen.
    pub checked: bool,
}

/// templates/admin/api_key_created.html - the only time the secret is seen.
#[derive(Debug, Clone, Serialize)]
pub struct ApiKeyCreatedPage {
    /// What it is for.
    pub name: String,
    /// The secret, whole.
    pub secret: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// An address of the API to try it with.
    pub example_url: String,
}

fn person(number: u128, name: &str, role: Role, state: StaffState) -> StaffRow {
    StaffRow {
        id: StaffId::from_bits(bits(number)),
        name: text(name),
        email: format!("person{number}@shop.example"),
        role,
        state,
        has_totp: number == 1,
        last_seen_at: (state != StaffState::Invited).then(|| minutes_ago(7)),
        is_me: number == 1,
    }
}

impl Template for StaffPage {
    const NAME: &'static str = "admin/staff.html";

    fn samples() -> Vec<Self> {
        let invitation = InvitationForm { email: String::new(), name: String::new(), role: Role::Support };
        let page = Self {
            people: vec![person(1, "Grace Hopper", Role::Owner, StaffState::Active)],
            invitation,
            roles: Role::choices(),
            errors: Errors::new(),
        };
        let others = [
            person(2, "", Role::Support, StaffState::Invited),
            person(3, RIGHT_TO_LEFT, Role::ReadOnly, StaffState::Active),
            StaffRow { last_seen_at: None, ..person(4, LONG, Role::Support, StaffState::Disabled) },
        ];
        vec![
            Self { people: page.people.iter().cloned().chain(others).collect(), ..page.clone() },
            Self {
                invitation: InvitationForm {
                    email: text("not an address"),
                    name: text(LONG),
                    role: Role::Owner,
                },
                errors: errors(&[("email", "\"not an address\" is not a mail address.")]),
                ..page
            },
        ]
    }
}

impl Template for InvitedPage {
    const NAME: &'static str = "admin/invited.html";

    fn samples() -> Vec<Self> {
        vec![Self {
            email: text("alan@shop.example"),
            link_url: text("https://shop.example/admin/welcome/lgn_7Qm2Vx9fKp4RtZ1cWb8NsY6hJd3L.5kT2"),
            expires_at: NOW + Span::minutes(15),
        }]
    }
}

fn key(number: u128, name: &str) -> ApiKeyRow {
    ApiKeyRow {
        id: ApiKeyId::from_bits(bits(number)),
        name: text(name),
        scopes: vec![text("orders:read"), text("orders:act"), text("products:read")],
        created_at: days_ago(90),
        created_by: text("Grace Hopper"),
        last_used_at: Some(minutes_ago(3)),
        revoked_at: None,
    }
}

impl Template for ApiKeysPage {
    const NAME: &'static str = "admin/api_keys.html";

    fn samples() -> Vec<Self> {
        let dead = ApiKeyRow { last_used_at: None, revoked_at: Some(days_ago(2)), ..key(3, LONG) };
        vec![Self { keys: vec![key(1, "Warehouse"), key(2, RIGHT_TO_LEFT), dead] }, Self { keys: Vec::new() }]
    }
}

impl Template for NewApiKeyPage {
    const NAME: &'static str = "admin/api_key_new.html";

    fn samples() -> Vec<Self> {
        let scope = |scope: &str, meaning: &str, checked| ScopeChoice {
            scope: text(scope),
            meaning: text(meaning),
            checked,
        };
        let page = Self {
            name: String::new(),
            scopes: vec![
                scope("products:read", "See packages, prices and files", true),
                scope("orders:read", "See transactions", false),
                scope("orders:act", "Resend, extend, reissue, regenerate", false),
            ],
            errors: Errors::new(),
        };
        let wrong = errors(&[("name", "Say what the key is for."), ("scope", "Choose at least one.")]);
        vec![page.clone(), Self { name: text(LONG), errors: wrong, ..page }]
    }
}

impl Template for ApiKeyCreatedPage {
    const NAME: &'static str = "admin/api_key_created.html";

    fn samples() -> Vec<Self> {
        vec![Self {
            name: text("Warehouse"),
            secret: text("hk_01kf3v9y7e8x2m4q6t8w0z1a3c_7Qm2Vx9fKp4RtZ1cWb8NsY6hJd3L5kT2"),
            scopes: vec![text("orders:read")],
            example_url: text("https://shop.example/v1/orders"),
        }]
    }
}
