//! The mails: to buyers, to staff, to the merchant. Each has a text and an HTML part.
//!
//! No picture is loaded, nothing is counted when a mail is opened, and every address stands in it
//! in full, so that it can be copied from a reader that shows no links.

mod delivery;
mod payment;
mod people;

pub use delivery::{
    ArchivePassword, ArchivePasswordMail, DeliveryMail, MailDelivery, Occasion, ProductNoteMail, ReceiptFacts,
};
pub use payment::{AccessClosedMail, ClosedBecause, PaymentFailedMail, PaymentPendingMail};
pub use people::{AddressChangedMail, AlarmNote, MerchantAlarmMail, SignInMail, StaffInvitationMail};

use crate::gallery::{Exhibit, mail};
use crate::templates::{Source, embed};

pub(crate) const TEMPLATES: &[Source] = embed![
    "mail/_layout.html",
    "mail/_parts.txt",
    "mail/delivery.txt",
    "mail/delivery.html",
    "mail/archive_password.txt",
    "mail/archive_password.html",
    "mail/product_note.txt",
    "mail/product_note.html",
    "mail/payment_pending.txt",
    "mail/payment_pending.html",
    "mail/payment_failed.txt",
    "mail/payment_failed.html",
    "mail/access_closed.txt",
    "mail/access_closed.html",
    "mail/sign_in.txt",
    "mail/sign_in.html",
    "mail/address_changed.txt",
    "mail/address_changed.html",
    "mail/staff_invitation.txt",
    "mail/staff_invitation.html",
    "mail/merchant_alarm.txt",
    "mail/merchant_alarm.html",
];

pub(crate) fn exhibits() -> Vec<Exhibit> {
    [
        mail::<DeliveryMail>(),
        mail::<ArchivePasswordMail>(),
        mail::<ProductNoteMail>(),
        mail::<PaymentPendingMail>(),
        mail::<PaymentFailedMail>(),
        mail::<AccessClosedMail>(),
        mail::<SignInMail>(),
        mail::<AddressChangedMail>(),
        mail::<StaffInvitationMail>(),
        mail::<MerchantAlarmMail>(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
