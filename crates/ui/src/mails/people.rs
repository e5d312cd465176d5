//! Mails that let somebody in or call somebody: sign-in, invitation, alarm.

use kernel::{Span, Timestamp};
use serde::Serialize;

use crate::Mail;
use crate::admin::{AlarmKind, Word as _};
use crate::samples::{LONG, NOW, RIGHT_TO_LEFT, SHORT, text};

/// templates/mail/sign_in - the link that signs in to the portal or the back office.
#[derive(Debug, Clone, Serialize)]
pub struct SignInMail {
    /// The link; it is spent by the button on its page, not by being opened.
    pub url: String,
    /// How long it works.
    pub minutes: u32,
}

/// templates/mail/address_changed - to the address that an account had before.
#[derive(Debug, Clone, Serialize)]
pub struct AddressChangedMail {
    /// The address that is no longer the account's. The new one is not told here: whoever reads
    /// this mailbox may be somebody else by now.
    pub email: String,
}

/// templates/mail/staff_invitation - an invitation to the back office.
#[derive(Debug, Clone, Serialize)]
pub struct StaffInvitationMail {
    /// Who invites.
    pub inviter: String,
    /// `owner`, `support` or `read_only`.
    pub role: String,
    /// The link.
    pub url: String,
    /// How long it works.
    pub hours: u32,
}

/// templates/mail/merchant_alarm - something in the shop needs a person.
///
/// It names no buyer and holds no link of one: alarms are forwarded.
#[derive(Debug, Clone, Serialize)]
pub struct MerchantAlarmMail {
    /// What stands, the worst first. The subject tells a single one.
    pub alarms: Vec<AlarmNote>,
    /// The first page of the back office.
    pub url: String,
}

/// One alarm in a mail; the texts are those of the back office.
#[derive(Debug, Clone, Serialize)]
pub struct AlarmNote {
    /// Which check.
    pub kind: AlarmKind,
    /// How many.
    pub count: u32,
    /// Since when the oldest of them.
    pub since: Option<Timestamp>,
    /// Where they are listed.
    pub url: String,
}

impl Mail for SignInMail {
    const NAME: &'static str = "mail/sign_in";

    fn samples() -> Vec<Self> {
        let url = format!("https://shop.example/portal/confirm?token={}", "x".repeat(90));
        vec![Self { url: text("https://a.example/c"), minutes: 1 }, Self { url, minutes: 15 }]
    }
}

impl Mail for AddressChangedMail {
    const NAME: &'static str = "mail/address_changed";

    fn samples() -> Vec<Self> {
        vec![
            Self { email: text("ada@example.com") },
            Self { email: format!("{}@example.com", "x".repeat(60)) },
        ]
    }
}

impl Mail for StaffInvitationMail {
    const NAME: &'static str = "mail/staff_invitation";

    fn samples() -> Vec<Self> {
        let mail = |inviter: &str, role: &str| Self {
            inviter: text(inviter),
            role: text(role),
            url: text("https://shop.example/admin/invitations/in_4Jx8QpZ2"),
            hours: 48,
        };
        vec![mail(SHORT, "owner"), mail(LONG, "support"), mail(RIGHT_TO_LEFT, "read_only")]
    }
}

impl Mail for MerchantAlarmMail {
    const NAME: &'static str = "mail/merchant_alarm";

    fn samples() -> Vec<Self> {
        let note = |kind: &AlarmKind| AlarmNote {
            kind: *kind,
            count: 3,
            since: Some(NOW - Span::hours(2)),
            url: format!("https://shop.example/admin/orders?alarm={}", kind.word()),
        };
        let mail = |kinds: &[AlarmKind]| Self {
            alarms: kinds.iter().map(note).collect(),
            url: text("https://shop.example/admin"),
        };
        let mut undated = mail(&[AlarmKind::DeadJobs]);
        undated.alarms.iter_mut().for_each(|note| (note.count, note.since) = (1, None));
        vec![mail(&[AlarmKind::NotVerified]), undated, mail(AlarmKind::ALL)]
    }
}
