//! The states and kinds that staff see as badges: the same words as the database's, each with a tone.
//!
//! A template gets `{group, word, tone}` of each and writes `t("admin.group.word")`; a test holds
//! that every word has its text.

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::list::{Choice, Label};
use crate::Tone;

/// A closed set of words, each with a text in every language and a tone.
pub trait Word: Copy + PartialEq + 'static {
    /// Where its texts are in the catalog: `admin.GROUP.word`.
    const GROUP: &'static str;
    /// All of them, as filters list them.
    const ALL: &'static [Self];
    /// As it is stored and posted.
    fn word(self) -> &'static str;
    /// How it is meant.
    fn tone(self) -> Tone;

    /// Reads what was stored or posted.
    fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.word() == word)
    }

    /// The choices of a form or a filter.
    fn choices() -> Vec<Choice> {
        let choice = |word: &Self| Choice {
            value: word.word().to_owned(),
            label: Label::key(format!("admin.{}.{}", Self::GROUP, word.word())),
        };
        Self::ALL.iter().map(choice).collect()
    }
}

fn write<W: Word, S: Serializer>(word: W, to: S) -> Result<S::Ok, S::Error> {
    let mut badge = to.serialize_struct("Badge", 3)?;
    badge.serialize_field("group", W::GROUP)?;
    badge.serialize_field("word", word.word())?;
    badge.serialize_field("tone", &word.tone())?;
    badge.end()
}

macro_rules! badges {
    ($($(#[$doc:meta])* $name:ident in $group:literal {
        $($(#[$about:meta])* $variant:ident = $word:literal is $tone:ident,)+
    })+) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq)]
            pub enum $name {
                $($(#[$about])* $variant,)+
            }

            impl Word for $name {
                const GROUP: &'static str = $group;
                const ALL: &'static [Self] = &[$(Self::$variant,)+];
                fn word(self) -> &'static str {
                    match self { $(Self::$variant => $word,)+ }
                }
                fn tone(self) -> Tone {
                    match self { $(Self::$variant => Tone::$tone,)+ }
                }
            }

            impl Serialize for $name {
                fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                    write(*self, to)
                }
            }
        )+

        /// Every word's key in the catalog, for the test that looks for its text.
        #[cfg(test)]
        pub(super) fn keys() -> Vec<String> {
            let mut keys = Vec::new();
            $(keys.extend($name::ALL.iter().map(|word| format!("admin.{}.{}", $group, word.word())));)+
            keys
        }
    };
}

badges! {
    /// Where an order is in its life.
    OrderStatus in "order_status" {
        /// Nothing has been heard of its money.
        AwaitingPayment = "awaiting_payment" is Quiet,
        /// Money is on its way.
        Pending = "pending" is Info,
        /// What was due has arrived.
        Paid = "paid" is Ok,
        /// All of it went back.
        Refunded = "refunded" is Quiet,
        /// Failed, expired or canceled.
        Void = "void" is Quiet,
    }

    /// Where an order came from.
    OrderSource in "order_source" {
        /// Our own checkout.
        Checkout = "checkout" is Quiet,
        /// A button on another site.
        Button = "button" is Quiet,
        /// Written by staff.
        Manual = "manual" is Quiet,
    }

    /// What its facts say of a payment.
    PaymentStatus in "payment_status" {
        /// Nothing but its existence is known.
        Initiated = "initiated" is Quiet,
        /// On its way.
        Pending = "pending" is Info,
        /// Arrived.
        Settled = "settled" is Ok,
        /// Over without money.
        Failed = "failed" is Bad,
        /// Ran out of time or was voided.
        Expired = "expired" is Quiet,
        /// Some of it went back.
        PartlyRefunded = "partly_refunded" is Info,
        /// All of it was sent back.
        Refunded = "refunded" is Quiet,
        /// Arrived, and objected to.
        Disputed = "disputed" is Warn,
        /// Pulled back by the gateway or the bank.
        Reversed = "reversed" is Bad,
    }

    /// One statement of a gateway about a payment.
    FactKind in "fact_kind" {
        /// On its way.
        Pending = "pending" is Info,
        /// Arrived.
        Settlement = "settlement" is Ok,
        /// Will not arrive.
        Failure = "failure" is Bad,
        /// Ran out of time or was voided.
        Expiry = "expiry" is Quiet,
        /// Sent back.
        Refund = "refund" is Info,
        /// A refund that did not happen after all.
        RefundFailure = "refund_failure" is Warn,
        /// Pulled back.
        Reversal = "reversal" is Bad,
        /// A reversal undone.
        ReversalCancellation = "reversal_cancellation" is Ok,
        /// Objected to.
        Dispute = "dispute" is Warn,
        /// The objection was rejected.
        DisputeWon = "dispute_won" is Ok,
        /// The objection was granted.
        DisputeLost = "dispute_lost" is Bad,
    }

    /// What became of a notice.
    NoticeState in "notice_state" {
        /// Authentic, and contradicting what we know: a person decides.
        Quarantined = "quarantined" is Bad,
        /// Authentic, and waiting for the payment that it is about.
        Unmatched = "unmatched" is Warn,
        /// Stored; its gateway has not confirmed it yet.
        Received = "received" is Info,
        /// Authentic, matched, and part of an order's facts.
        Applied = "applied" is Ok,
        /// Authentic, and of no interest.
        Ignored = "ignored" is Quiet,
        /// Looked at by a person and refused.
        Refused = "refused" is Quiet,
        /// Not the gateway's word.
        Forged = "forged" is Warn,
    }

    /// What happened to a grant.
    GrantChange in "grant_change" {
        /// Given for money.
        Granted = "granted" is Ok,
        /// Given in advance.
        MadeProvisional = "made_provisional" is Info,
        /// The money came.
        Confirmed = "confirmed" is Ok,
        /// The money did not come.
        Withdrawn = "withdrawn" is Warn,
        /// The money was pulled back.
        Suspended = "suspended" is Warn,
        /// It came back.
        Reinstated = "reinstated" is Ok,
        /// Refunded, or taken back by staff.
        Revoked = "revoked" is Bad,
        /// The link was replaced; the old one is dead.
        Reissued = "reissued" is Info,
        /// The link's time was prolonged.
        Extended = "extended" is Info,
    }

    /// Whether a link can be used: the grant's status, its time and its places in one word.
    LinkState in "link_state" {
        /// It works.
        Open = "open" is Ok,
        /// It works until the money is known not to come.
        Provisional = "provisional" is Info,
        /// Its time is over.
        Expired = "expired" is Quiet,
        /// Its downloads are spent.
        UsedUp = "used_up" is Quiet,
        /// The money was pulled back; it may come again.
        Suspended = "suspended" is Warn,
        /// For good.
        Revoked = "revoked" is Bad,
    }

    /// What became of a download session's place.
    DownloadState in "download_state" {
        /// Reserved; bytes may be flowing.
        Open = "open" is Info,
        /// Used: the content was handed out.
        Spent = "spent" is Ok,
        /// Given back: nothing much was handed out.
        Returned = "returned" is Quiet,
    }

    /// What a message says.
    MessageKind in "message_kind" {
        /// Paid: links, checksums, support.
        Receipt = "receipt" is Quiet,
        /// The payment is on its way.
        PaymentPending = "payment_pending" is Quiet,
        /// The payment failed.
        PaymentFailed = "payment_failed" is Quiet,
        /// The money went back; access has ended.
        Refunded = "refunded" is Quiet,
        /// Access is on hold while the payment is in question.
        Suspended = "suspended" is Quiet,
        /// Access is back.
        Reinstated = "reinstated" is Quiet,
        /// The same links again.
        LinksResent = "links_resent" is Quiet,
        /// New links; the old ones are dead.
        LinksReissued = "links_reissued" is Quiet,
        /// The links live longer.
        LinkExtended = "link_extended" is Quiet,
        /// The whole transaction was made again.
        Regenerated = "regenerated" is Quiet,
        /// What was still being made when the receipt left is there.
        Ready = "ready" is Quiet,
        /// The passwords of archives.
        ArchivePassword = "archive_password" is Quiet,
        /// A product's second text, such as how to get support.
        OtherText = "other_text" is Quiet,
        /// A new version of a file is out.
        NewVersion = "new_version" is Quiet,
        /// A link that signs a customer in.
        SignIn = "sign_in" is Quiet,
        /// An account has another address: told to the one it had.
        AddressChanged = "address_changed" is Quiet,
        /// A link that signs staff in for the first time.
        StaffInvitation = "staff_invitation" is Quiet,
        /// Something in the shop needs a person.
        Alarm = "alarm" is Quiet,
    }

    /// What became of a message.
    MessageState in "message_state" {
        /// To be sent.
        Waiting = "waiting" is Info,
        /// The mail server took it.
        Sent = "sent" is Ok,
        /// The mail server refused it for good.
        Failed = "failed" is Bad,
        /// Not deliverable for days; given up.
        Expired = "expired" is Bad,
    }

    /// Whether a product can be bought.
    ProductStatus in "product_status" {
        /// Being prepared; only staff see it.
        Draft = "draft" is Info,
        /// For sale.
        Active = "active" is Ok,
        /// No longer for sale; who bought it keeps it.
        Archived = "archived" is Quiet,
    }

    /// Which versions of its files a buyer gets.
    FilePolicy in "file_policy" {
        /// Those of the day of purchase.
        AsBought = "as_bought" is Quiet,
        /// The newest, at any time.
        Latest = "latest" is Quiet,
        /// The newest for a number of days from the purchase.
        UpdatesUntil = "updates_until" is Quiet,
    }

    /// What a buyer gets while a payment is pending.
    PendingPolicy in "pending_policy" {
        /// Nothing until the money is there.
        Nothing = "nothing" is Quiet,
        /// Access that is withdrawn if the payment fails.
        Provisional = "provisional" is Quiet,
    }

    /// Why a person is asked.
    ReviewKind in "review_kind" {
        /// More money came than was due.
        Surplus = "surplus" is Warn,
        /// An order that was paid already was paid again.
        PaidTwice = "paid_twice" is Warn,
        /// Part of the money went back: which lines does it concern?
        PartRefund = "part_refund" is Info,
        /// The buyer or the bank objects.
        Dispute = "dispute" is Bad,
        /// Money came for an order that had been given up, and it was reopened.
        LateMoney = "late_money" is Info,
        /// Something that is to be made for a unit cannot be.
        PartHeld = "part_held" is Warn,
        /// Tickets were paid for when no place was left.
        OverCapacity = "over_capacity" is Warn,
    }

    /// What is made for a unit beside the files of its product.
    Part in "part" {
        /// Files that a spec names.
        Payload = "payload" is Quiet,
        /// Access data.
        Access = "access" is Quiet,
        /// Copies for the buyer's own key.
        Encrypt = "encrypt" is Quiet,
        /// A drawing that the buyer filled in.
        Artwork = "artwork" is Quiet,
        /// What a plug-in hands over.
        Plugin = "plugin" is Quiet,
        /// What staff send.
        DropShip = "drop_ship" is Quiet,
        /// The buyer's own copy of a file, stamped.
        Stamp = "stamp" is Quiet,
    }

    /// How far a part of a unit is.
    PartState in "part_state" {
        /// To be made.
        Waiting = "waiting" is Info,
        /// It is there.
        Done = "done" is Ok,
        /// It cannot be made; a person decides.
        Held = "held" is Bad,
        /// A person decided to deliver without it.
        LeftOut = "left_out" is Quiet,
        /// Its link has been over for long; it is made again when the link is prolonged.
        Swept = "swept" is Quiet,
    }

    /// What became of an entry of a list of access data.
    AccessEntryState in "access_state" {
        /// The next buyer may get it.
        Free = "free" is Ok,
        /// A buyer has it.
        Taken = "taken" is Quiet,
        /// A buyer had it; it is given to nobody else.
        Burned = "burned" is Warn,
        /// Taken out of the list.
        Removed = "removed" is Quiet,
    }

    /// Whether a ticket lets somebody in.
    TicketStanding in "ticket_standing" {
        /// It does.
        Good = "good" is Ok,
        /// Its money was pulled back and may come again.
        Suspended = "suspended" is Warn,
        /// It was refunded or taken back.
        Revoked = "revoked" is Bad,
        /// It was paid for after the last place was gone.
        NoPlace = "no_place" is Warn,
    }

    /// Whether a question still waits for a person.
    ReviewState in "review_state" {
        /// It does.
        Open = "open" is Warn,
        /// It was answered.
        Resolved = "resolved" is Quiet,
    }

    /// What a document is.
    InvoiceKind in "invoice_kind" {
        /// For money that came.
        Invoice = "invoice" is Quiet,
        /// For money that went back.
        CreditNote = "credit_note" is Info,
    }

    /// Whether real money moves.
    Mode in "mode" {
        /// It does.
        Live = "live" is Ok,
        /// Nothing of it is real.
        Test = "test" is Warn,
    }

    /// How a connection is doing.
    Health in "health" {
        /// Its notices come and are confirmed.
        Well = "well" is Ok,
        /// Nothing has come yet.
        Silent = "silent" is Info,
        /// The gateway cannot be asked, or what comes is not its word.
        Failing = "failing" is Bad,
        /// Switched off.
        Off = "off" is Quiet,
    }

    /// What a person in the back office may do.
    Role in "role" {
        /// Everything.
        Owner = "owner" is Quiet,
        /// Help buyers: everything about orders, nothing about money, keys and people.
        Support = "support" is Quiet,
        /// Look.
        ReadOnly = "read_only" is Quiet,
    }

    /// Whether a person can sign in.
    StaffState in "staff_state" {
        /// They can.
        Active = "active" is Ok,
        /// They have not used their invitation yet.
        Invited = "invited" is Info,
        /// They no longer can.
        Disabled = "disabled" is Quiet,
    }

    /// What a standing check has found. The front page tells each in words, with the way to help.
    AlarmKind in "alarm" {
        /// Nothing leaves the house until the operator has looked.
        HeldBack = "held_back" is Bad,
        /// The money is there and the goods are not.
        PaidNotDelivered = "paid_not_delivered" is Bad,
        /// Gateways have not confirmed what they told us.
        NotVerified = "not_verified" is Bad,
        /// The money is there and the buyer has no link.
        PaidNotReached = "paid_not_reached" is Bad,
        /// What is sold is missing or damaged in a store.
        ContentLacking = "content_lacking" is Bad,
        /// A store of contents does not answer.
        StoreAway = "store_away" is Bad,
        /// The money went back and the links still work.
        RefundedStillOpen = "refunded_still_open" is Bad,
        /// Authentic notices that contradict what we know.
        Quarantined = "quarantined" is Bad,
        /// Mail that does not leave.
        MailFailing = "mail_failing" is Bad,
        /// Lists of access data that run out.
        AccessLow = "access_low" is Warn,
        /// Questions that wait for a person.
        OpenReviews = "open_reviews" is Warn,
        /// Work that was given up.
        DeadJobs = "dead_jobs" is Warn,
    }

    /// How a store of contents stands.
    StoreStanding in "store_standing" {
        /// It answers.
        Well = "well" is Ok,
        /// It has not answered for a while.
        Away = "away" is Bad,
        /// It has not been asked yet.
        Unknown = "unknown" is Quiet,
    }

    /// Who delivers a merchant's files.
    DeliveryWay in "delivery_way" {
        /// We do.
        ThroughUs = "through_us" is Ok,
        /// A bucket does, where one has the file.
        Redirect = "redirect" is Info,
    }

    /// What is wrong with a content in a store.
    Defect in "defect" {
        /// It is not there.
        Missing = "missing" is Bad,
        /// It is not what it was.
        Damaged = "damaged" is Bad,
        /// It was put right.
        Mended = "mended" is Ok,
    }

    /// Why a sign-in did not succeed. Which of address and password was wrong is not told.
    SignInProblem in "sign_in_problem" {
        /// Address or password are wrong.
        Wrong = "wrong" is Bad,
        /// The code is wrong or was used already.
        WrongCode = "wrong_code" is Bad,
        /// Too many attempts; wait.
        TooMany = "too_many" is Bad,
        /// The session is over.
        Expired = "expired" is Info,
    }

    /// What a link that signs staff in is for.
    LinkPurpose in "link_purpose" {
        /// The first owner of a new installation.
        FirstOwner = "first_owner" is Quiet,
        /// Somebody who was invited.
        Invitation = "invitation" is Quiet,
        /// Somebody who lost their password.
        Recovery = "recovery" is Quiet,
    }

    /// A right of a role, as `frame.staff.rights` carries it: pages show only what may be done.
    Right in "right" {
        /// Act on orders: resend, extend, reissue, regenerate, revoke.
        Orders = "orders" is Quiet,
        /// Accept or refuse notices and resolve reviews.
        Decide = "decide" is Quiet,
        /// Make and change products and their files.
        Products = "products" is Quiet,
        /// Take lists along as files.
        Export = "export" is Quiet,
        /// The merchant's settings and connections.
        Settings = "settings" is Quiet,
        /// People and API keys.
        Staff = "staff" is Quiet,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Locale, Renderer};

    #[test]
    fn every_word_has_a_text() {
        let renderer = Renderer::new().unwrap();
        // An alarm's text is a table with its title and its remedy.
        let plain = keys().into_iter().filter(|key| !key.starts_with("admin.alarm."));
        let missing: Vec<String> = plain.filter(|key| renderer.text(Locale::En, key, &[]).is_err()).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn a_word_survives_its_text() {
        assert_eq!(OrderStatus::parse("awaiting_payment"), Some(OrderStatus::AwaitingPayment));
        assert_eq!(OrderStatus::parse("delivered"), None);
    }
}
