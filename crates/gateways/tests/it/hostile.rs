//! Whatever is posted, judging ends without a panic and states nothing impossible.

use gateways::{Judgment, Notice, NoticeKind};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::{PAID, answer, judge};

const CASES: u32 = 512;

/// What holds for every notice, however it came about.
fn is_possible(notice: &Notice) -> bool {
    let moved = [notice.amount, notice.fee, notice.tax, notice.shipping];
    let control_free =
        |text: &Option<String>| text.as_deref().is_none_or(|text| !text.chars().any(char::is_control));
    moved.into_iter().flatten().all(|money| money.minor > 0)
        && notice
            .lines
            .iter()
            .all(|line| line.quantity >= 1 && line.gross.is_none_or(|gross| gross.minor >= 0))
        && control_free(&notice.payment_id)
        && control_free(&notice.merchant_ref)
        && control_free(&notice.buyer.name)
}

/// A body, even confirmed by PayPal, is refused or possible; unconfirmed, it states nothing.
fn survives(body: &[u8]) -> Result<(), TestCaseError> {
    let unconfirmed = judge(body, &[]);
    prop_assert!(matches!(unconfirmed, Judgment::Needs(_) | Judgment::Forged(_)));
    match judge(body, &answer(200, "VERIFIED")) {
        Judgment::Authentic(notices) => prop_assert!(notices.iter().all(is_possible), "{notices:?}"),
        Judgment::Unreadable(why) => prop_assert!(why.contains("twice"), "{why}"),
        Judgment::Forged(_) => prop_assert!(matches!(unconfirmed, Judgment::Forged(_))),
        other => prop_assert!(false, "{other:?}"),
    }
    Ok(())
}

fn name() -> impl Strategy<Value = String> {
    let known =
        PAID.split('&').filter_map(|field| field.split('=').next()).map(str::to_owned).collect::<Vec<_>>();
    let numbered = "(item_name|item_number|quantity|mc_gross_|mc_shipping|mc_handling|option_name1_|option_selection1_)[0-9]{0,10}";
    prop_oneof![select(known), numbered, "[a-z_]{1,12}"]
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        "-?[0-9]{0,20}[.,]?[0-9]{0,4}",
        "(%[0-9A-F]{2}){0,12}",
        "[ -~]{0,20}",
        select(vec![
            "Completed",
            "Refunded",
            "Reversed",
            "subscr_eot",
            "new_case",
            "utf-16le",
            "iso-2022-jp",
            "gb18030",
            "JPY",
            "KWD",
            "-9223372036854775808",
            "92233720368547758.07",
            "24:61:61 Feb 30, 0000 PST",
            "GMT%2B99%E2%82%AC9",
        ])
        .prop_map(str::to_owned),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(CASES) })]

    #[test]
    fn any_bytes_are_survived(body in vec(any::<u8>(), 0..600)) {
        survives(&body)?;
    }

    #[test]
    fn any_fields_are_survived(fields in vec((name(), value()), 0..40)) {
        let body: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        survives(body.join("&").as_bytes())?;
    }

    #[test]
    fn a_damaged_purchase_is_survived(edits in vec((any::<Index>(), any::<u8>(), 0u8..4), 1..12)) {
        let mut body = PAID.as_bytes().to_vec();
        let edits_max = edits.len() + 1;
        for (place, byte, edit) in edits {
            let at = place.index(body.len());
            match edit {
                0 => body[at] = byte,
                1 => { body.remove(at); }
                2 => body.insert(at, byte),
                _ => body.truncate(at.max(edits_max)),
            }
        }
        survives(&body)?;
    }

    #[test]
    fn a_changed_field_never_makes_more_of_a_purchase(field in name(), value in value()) {
        let body = format!("{PAID}&{field}={value}");
        if let Judgment::Authentic(notices) = judge(body.as_bytes(), &answer(200, "VERIFIED")) {
            let paid: Vec<_> = notices.iter().filter(|notice| notice.kind == NoticeKind::PaymentPaid).collect();
            prop_assert!(paid.iter().all(|notice| notice.amount.is_none_or(|amount| amount.minor == 1234)));
        }
    }
}
