//! Mails that let somebody in or call somebody: sign-in, invitation, alarm.

use serde::Serialize;

use crate::Mail;
use crate::samples::{LONG, RIGHT_TO_LEFT, SHORT, text};

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
    /// What is the matter, in a few words: the subject.
    pub title: String,
    /// What happened and what to do.
    pub explanation: String,
    /// Names and values.
    pub details: Vec<(String, String)>,
    /// Where to look in the back office.
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
        let mail = |title: &str, explanation: &str| Self {
            title: text(title),
            explanation: text(explanation),
            details: vec![(text("Notices"), text("3")), (text("Oldest"), text("Sep 21, 2026, 14:02 CEST"))],
            url: text("https://shop.example/admin/notices?state=quarantined"),
        };
        vec![
            mail(
                "3 payment notices are in quarantine",
                "Their amounts do not match their orders, so nothing was delivered. Please look at them and accept or refuse each.",
            ),
            Self { details: Vec::new(), ..mail(SHORT, SHORT) },
            Self { details: vec![(text(LONG), text(LONG))], ..mail(LONG, LONG) },
            mail(RIGHT_TO_LEFT, RIGHT_TO_LEFT),
        ]
    }
}
