//! The step before what cannot be undone, and the pages for what cannot be done at all.

use serde::Serialize;

use super::access::{Errors, errors};
use super::words::Word;
use crate::samples::{LONG, text};
use crate::{Template, Tone};

macro_rules! acts {
    ($($(#[$about:meta])* $variant:ident = $word:literal is $tone:ident,)+) => {
        /// What is about to be done. Each has a title, a sentence on what will happen and a button
        /// under `admin.act.WORD`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Act {
            $($(#[$about])* $variant,)+
        }

        impl Act {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its name in the catalog.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// `Bad` for what takes something away.
            pub const fn tone(self) -> Tone {
                match self { $(Self::$variant => Tone::$tone,)+ }
            }
        }
    };
}

acts! {
    /// Mail the same links again.
    Resend = "resend" is Info,
    /// Mail the receipt again.
    Receipt = "receipt" is Info,
    /// Let the links live longer: asks for `days`.
    Extend = "extend" is Info,
    /// Make new links; the old ones die.
    Reissue = "reissue" is Bad,
    /// Make the whole transaction again.
    Regenerate = "regenerate" is Bad,
    /// Take a line back.
    RevokeLine = "revoke_line" is Bad,
    /// Give a line back.
    ReinstateLine = "reinstate_line" is Info,
    /// Apply a quarantined notice as it is.
    AcceptNotice = "accept_notice" is Bad,
    /// Refuse a quarantined notice.
    RefuseNotice = "refuse_notice" is Bad,
    /// Judge a notice again.
    ReplayNotice = "replay_notice" is Info,
    /// Send one message again.
    ResendMessage = "resend_message" is Info,
    /// Take a file off a product.
    RemoveFile = "remove_file" is Bad,
    /// Take a product off sale.
    ArchiveProduct = "archive_product" is Bad,
    /// Kill an API key.
    RevokeKey = "revoke_key" is Bad,
    /// Lock a person out.
    DisableStaff = "disable_staff" is Bad,
    /// Sign a customer out everywhere.
    SignOutCustomer = "sign_out_customer" is Bad,
    /// Mail a customer a link that signs them in.
    SignInLink = "sign_in_link" is Info,
    /// Turn one's own second step off: asks for the `password`.
    TotpOff = "totp_off" is Bad,
    /// Take nothing from a gateway account any more.
    DisableConnection = "disable_connection" is Bad,
    /// Use a gateway account again.
    EnableConnection = "enable_connection" is Info,
    /// Forget work that was given up.
    DropJob = "drop_job" is Bad,
}

/// templates/admin/confirm.html - what will happen, and the button that does it.
///
/// Posts to `action`: `days` when asked for, `reason` when asked for, `password` when asked for.
/// The texts of `admin.act.WORD` may use `{subject}`, `{email}` and `{count}`.
#[derive(Debug, Clone, Serialize)]
pub struct ConfirmPage {
    /// What is about to be done.
    pub act: Act,
    /// How it is meant: set it from [`Act::tone`], or use [`ConfirmPage::new`].
    pub tone: Tone,
    /// What it is done to: a product's name, an address, a number.
    pub subject: String,
    /// Where mail about it goes; empty where none goes.
    pub email: String,
    /// How many links, lines or units it concerns.
    pub count: u32,
    /// Where it is done.
    pub action: String,
    /// Where one came from.
    pub back: String,
    /// A number of days to ask for, with what the field holds.
    pub days: Option<String>,
    /// A reason to ask for, with what the field holds.
    pub reason: Option<String>,
    /// Whether the password is asked for again.
    pub ask_password: bool,
    /// How often this person had done it before the page was shown, where doing it twice by one
    /// form would harm.
    pub turn: Option<i64>,
    /// Field name to what is wrong with it.
    pub errors: Errors,
}

impl ConfirmPage {
    /// A confirmation that asks for nothing but the click.
    pub fn new(
        act: Act,
        subject: impl Into<String>,
        action: impl Into<String>,
        back: impl Into<String>,
    ) -> Self {
        Self {
            act,
            tone: act.tone(),
            subject: subject.into(),
            email: String::new(),
            count: 1,
            action: action.into(),
            back: back.into(),
            days: None,
            reason: None,
            ask_password: false,
            turn: None,
            errors: Errors::new(),
        }
    }
}

/// templates/admin/problem.html - an error inside the back office.
#[derive(Debug, Clone, Serialize)]
pub struct StaffProblemPage {
    /// The HTTP status; 404, 405, 409, 413, 422, 429, 500 and 503 have their own words.
    pub status: u16,
    /// What was wrong in this case, where that may be told.
    pub detail: Option<String>,
    /// For the log.
    pub request_id: String,
    /// Where to go on.
    pub back: String,
}

/// templates/admin/denied.html - signed in, but this is for others.
#[derive(Debug, Clone, Serialize)]
pub struct DeniedPage {
    /// Which right is missing: a word of [`super::words::Right`].
    pub right: super::words::Right,
    /// Who can help: the owners' names or addresses.
    pub owners: Vec<String>,
}

impl Template for ConfirmPage {
    const NAME: &'static str = "admin/confirm.html";

    fn samples() -> Vec<Self> {
        let page = |act: &Act| Self {
            email: text("ada@example.com"),
            count: 3,
            days: (*act == Act::Extend).then(|| text("3")),
            reason: matches!(act, Act::RevokeLine | Act::AcceptNotice | Act::RefuseNotice).then(String::new),
            ask_password: *act == Act::TotpOff,
            turn: (*act == Act::Reissue).then_some(2),
            ..Self::new(*act, "Harbor Charts, North", "/admin/orders/ord_1/resend", "/admin/orders/ord_1")
        };
        let mut samples: Vec<Self> = Act::ALL.iter().map(page).collect();
        samples.push(Self {
            subject: text(LONG),
            email: String::new(),
            count: 1,
            days: Some(text("many")),
            errors: errors(&[("days", "Write a whole number of days from 1 to 365.")]),
            ..page(&Act::Extend)
        });
        samples
    }
}

impl Template for StaffProblemPage {
    const NAME: &'static str = "admin/problem.html";

    fn samples() -> Vec<Self> {
        let page = |status| Self {
            status,
            detail: None,
            request_id: text("req_01kf3v9y7e8x2m4q6t8w0z1a3c"),
            back: text("/admin"),
        };
        let mut samples: Vec<Self> = [400, 404, 405, 413, 429, 500, 503].map(page).into();
        samples.push(Self { detail: Some(text(LONG)), ..page(409) });
        samples.push(Self { detail: Some(text("the order has not been paid")), ..page(422) });
        samples
    }
}

impl Template for DeniedPage {
    const NAME: &'static str = "admin/denied.html";

    fn samples() -> Vec<Self> {
        super::words::Right::ALL
            .iter()
            .map(|right| Self { right: *right, owners: vec![text("Grace Hopper")] })
            .collect()
    }
}
