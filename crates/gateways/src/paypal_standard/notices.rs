//! From a verified notification to what it states.

use std::collections::BTreeMap;

use kernel::{EmailAddress, Money};

use super::{date, fields::Fields};
use crate::{Buyer, Notice, NoticeKind, NoticeLine};

/// More items than PayPal's cart holds.
const CART_LINES_MAX: u32 = 1_000;

/// What is stated, about what.
struct Statement {
    kind: NoticeKind,
    status: String,
    payment_id: Option<String>,
    movement_id: Option<String>,
    amount: Option<Money>,
}

/// At most one statement: PayPal sends no batches.
pub(super) fn read(fields: &Fields) -> Vec<Notice> {
    let txn_type = fields.get("txn_type").unwrap_or_default();
    let statement = match txn_type {
        // Money that the account pays out to many: no payment of a buyer.
        "masspay" => None,
        "new_case" => Some(case(fields)),
        _ => agreement(fields, txn_type).or_else(|| payment(fields, txn_type)),
    };
    statement.map(|statement| notice(fields, statement)).into_iter().collect()
}

fn case(fields: &Fields) -> Statement {
    Statement {
        kind: NoticeKind::DisputeOpened,
        status: with_reason("new_case", fields.get("case_type")),
        payment_id: fields.owned("txn_id"),
        movement_id: fields.owned("case_id"),
        amount: fields.money("mc_gross").and_then(magnitude),
    }
}

/// Subscriptions of buttons (`subscr_`) and of Express Checkout (`recurring_payment_`).
///
/// A period that was paid is a payment that names its subscription: PayPal does not tell the
/// first one from those that follow.
fn agreement(fields: &Fields, txn_type: &str) -> Option<Statement> {
    let kind = match txn_type {
        "subscr_signup" | "recurring_payment_profile_created" => NoticeKind::SubscriptionCreated,
        "subscr_modify" => NoticeKind::SubscriptionChanged,
        "subscr_failed"
        | "recurring_payment_failed"
        | "recurring_payment_skipped"
        | "recurring_payment_outstanding_payment_failed" => NoticeKind::SubscriptionPaymentFailed,
        "recurring_payment_suspended" | "recurring_payment_suspended_due_to_max_failed_payment" => {
            NoticeKind::SubscriptionSuspended
        }
        "subscr_cancel" | "recurring_payment_profile_cancel" => NoticeKind::SubscriptionCanceled,
        "subscr_eot" | "recurring_payment_expired" => NoticeKind::SubscriptionExpired,
        _ => return None,
    };
    Some(Statement {
        kind,
        status: txn_type.to_owned(),
        payment_id: fields.owned("txn_id"),
        movement_id: None,
        amount: None,
    })
}

/// Whatever the type, if there is a status it is about a payment. Spelled exactly so, or unknown.
fn payment(fields: &Fields, txn_type: &str) -> Option<Statement> {
    let status = fields.get("payment_status")?;
    let kind = match status {
        // Moves money after a dispute, also away from us, and is nobody's purchase.
        _ if txn_type == "adjustment" => NoticeKind::PaymentPending,
        "Completed" => NoticeKind::PaymentPaid,
        "Failed" | "Denied" => NoticeKind::PaymentFailed,
        "Expired" | "Voided" => NoticeKind::PaymentExpired,
        "Refunded" | "Partially_Refunded" => NoticeKind::RefundCreated,
        "Reversed" => NoticeKind::PaymentReversed,
        "Canceled_Reversal" => NoticeKind::PaymentReversalCanceled,
        _ => NoticeKind::PaymentPending,
    };
    let moves_back = matches!(
        kind,
        NoticeKind::RefundCreated | NoticeKind::PaymentReversed | NoticeKind::PaymentReversalCanceled
    );
    let (payment_id, movement_id) = if moves_back || txn_type == "adjustment" {
        (fields.owned("parent_txn_id"), fields.owned("txn_id"))
    } else {
        (fields.owned("txn_id"), None)
    };
    let reason = match status {
        "Completed" => None,
        "Pending" => fields.get("pending_reason"),
        _ => fields.get("reason_code"),
    };
    let gross = fields.money("mc_gross");
    Some(Statement {
        kind,
        status: with_reason(status, reason),
        payment_id,
        movement_id,
        // An incoming payment that is negative or unreadable has no amount, so nothing matches it.
        amount: if moves_back { gross.and_then(magnitude) } else { gross.filter(|money| money.minor > 0) },
    })
}

fn with_reason(status: &str, reason: Option<&str>) -> String {
    reason.map_or_else(|| status.to_owned(), |reason| format!("{status}: {reason}"))
}

/// PayPal writes money that goes back with a minus sign.
fn magnitude(money: Money) -> Option<Money> {
    let minor = money.minor.checked_abs().filter(|minor| *minor > 0)?;
    Some(Money::new(minor, money.currency))
}

fn notice(fields: &Fields, statement: Statement) -> Notice {
    let shipping = fields.money("mc_shipping").or_else(|| fields.money("shipping"));
    let handling = fields.money("mc_handling").or_else(|| fields.money("handling_amount"));
    let shipping = match (shipping, handling) {
        (Some(shipping), Some(handling)) => shipping.plus(handling).ok(),
        (one, other) => one.or(other),
    };
    let positive = |money: Option<Money>| money.and_then(magnitude);
    Notice {
        kind: statement.kind,
        status: statement.status,
        event_id: None,
        payment_id: statement.payment_id,
        movement_id: statement.movement_id,
        subscription_id: fields.first_of(&["subscr_id", "recurring_payment_id"]).map(str::to_owned),
        merchant_ref: fields.first_of(&["invoice", "custom"]).map(str::to_owned),
        occurred_at: occurred_at(fields),
        amount: statement.amount,
        fee: positive(fields.money("mc_fee")),
        tax: positive(fields.money("tax")),
        shipping: positive(shipping),
        receivers: receivers(fields),
        // Live notifications do not have the field.
        test: Some(fields.get("test_ipn").is_some_and(|flag| flag != "0")),
        buyer: buyer(fields),
        lines: lines(fields, positive(shipping)),
        period: None,
    }
}

fn occurred_at(fields: &Fields) -> Option<kernel::Timestamp> {
    let text = match fields.get("txn_type") {
        Some("new_case") => fields.get("case_creation_date"),
        _ => fields.first_of(&["payment_date", "subscr_date", "time_created"]),
    };
    text.and_then(date::read)
}

fn receivers(fields: &Fields) -> Vec<String> {
    let mut named: Vec<String> = Vec::new();
    for name in
        ["receiver_email", "business", "receiver_id"].into_iter().filter_map(|field| fields.get(field))
    {
        if !named.iter().any(|known| known == name) {
            named.push(name.to_owned());
        }
    }
    named
}

fn buyer(fields: &Fields) -> Buyer {
    let names: Vec<&str> = ["first_name", "last_name"].iter().filter_map(|field| fields.get(field)).collect();
    let name = if names.is_empty() { fields.owned("address_name") } else { Some(names.join(" ")) };
    let country = fields.first_of(&["residence_country", "address_country_code"]);
    Buyer {
        email: fields.get("payer_email").and_then(|email| EmailAddress::parse(email).ok()),
        name,
        company: fields.owned("payer_business_name"),
        country: country.filter(|code| is_country(code)).map(str::to_owned),
        payer_id: fields.owned("payer_id"),
    }
}

fn is_country(code: &str) -> bool {
    code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn lines(fields: &Fields, shipping: Option<Money>) -> Vec<NoticeLine> {
    let has = |number: u32| {
        ["item_name", "item_number"].iter().any(|name| fields.get(&format!("{name}{number}")).is_some())
    };
    if has(1) || fields.get("num_cart_items").is_some() {
        return (1..=cart_length(fields))
            .filter(|number| has(*number))
            .map(|number| cart_line(fields, number))
            .collect();
    }
    if fields.first_of(&["item_name", "item_number"]).is_none() {
        return Vec::new();
    }
    vec![NoticeLine {
        sku: fields.owned("item_number").unwrap_or_default(),
        name: fields.owned("item_name"),
        quantity: quantity(fields.get("quantity")),
        gross: fields.money("mc_gross").and_then(magnitude).and_then(|gross| without(gross, shipping)),
        attributes: options(fields, ""),
    }]
}

/// The highest number that an item has: refunds name items without counting them.
fn cart_length(fields: &Fields) -> u32 {
    let numbers = fields.beginning("item_name").chain(fields.beginning("item_number"));
    let highest = numbers.filter_map(|(number, _)| number.parse::<u32>().ok()).max().unwrap_or(0);
    highest.min(CART_LINES_MAX)
}

fn cart_line(fields: &Fields, number: u32) -> NoticeLine {
    let gross = fields.money(&format!("mc_gross_{number}")).and_then(magnitude);
    let extras =
        [fields.money(&format!("mc_shipping{number}")), fields.money(&format!("mc_handling{number}"))];
    NoticeLine {
        sku: fields.owned(&format!("item_number{number}")).unwrap_or_default(),
        name: fields.owned(&format!("item_name{number}")),
        quantity: quantity(fields.get(&format!("quantity{number}"))),
        gross: extras.into_iter().try_fold(gross, |gross, extra| Some(without(gross?, extra))).flatten(),
        attributes: options(fields, &format!("_{number}")),
    }
}

/// PayPal says 0 or nothing where a quantity makes no sense.
fn quantity(text: Option<&str>) -> u32 {
    text.and_then(|text| text.parse().ok()).unwrap_or(1).max(1)
}

/// What PayPal calls the gross of an item has its shipping in it.
fn without(gross: Money, extra: Option<Money>) -> Option<Money> {
    let minor = gross.minor.checked_sub(extra.map_or(0, |extra| extra.minor.saturating_abs()))?;
    (minor >= 0).then(|| Money::new(minor, gross.currency))
}

/// `option_name1` with `option_selection1`; in a cart `option_name1_2` is the first option of the second item.
fn options(fields: &Fields, suffix: &str) -> BTreeMap<String, String> {
    let named = fields.beginning("option_name").filter_map(|(rest, name)| {
        let number = rest.strip_suffix(suffix)?;
        let plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let choice = fields.get(&format!("option_selection{number}{suffix}")).unwrap_or_default();
        (plain && !name.is_empty()).then(|| (name.to_owned(), choice.to_owned()))
    });
    named.collect()
}
