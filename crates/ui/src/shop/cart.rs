//! The cart, and the page that hands the buyer over to the gateway.

use std::collections::BTreeMap;

use kernel::Money;
use serde::Serialize;

use crate::Template;
use crate::samples::{LONG, RIGHT_TO_LEFT, SHORT, eur, text};

/// templates/shop/cart.html - the lines, what they cost, and what the seller needs to know.
///
/// Lines post `line`, `quantity` to `/cart/lines/update` and `line` to `/cart/lines/remove`;
/// the buyer's form posts to `/checkout`.
#[derive(Debug, Clone, Serialize)]
pub struct CartPage {
    /// What is in it.
    pub lines: Vec<CartLine>,
    /// Sum of the lines; shown only when it differs from the total.
    pub subtotal: Option<Money>,
    /// Discounts and taxes between subtotal and total, with their words.
    pub adjustments: Vec<(String, Money)>,
    /// What is to be paid. `None` when the cart is empty.
    pub total: Option<Money>,
    /// What the total says about tax, such as "including 19 % VAT".
    pub tax_note: Option<String>,
    /// The buyer's form.
    pub buyer: BuyerForm,
    /// The ways to pay; a single one needs no choice.
    pub gateways: Vec<GatewayChoice>,
    /// Field name to what is wrong with it.
    pub errors: BTreeMap<String, String>,
}

/// One line of the cart.
#[derive(Debug, Clone, Serialize)]
pub struct CartLine {
    /// What the forms name it by.
    pub id: String,
    /// The product's page.
    pub path: String,
    /// The product's name.
    pub name: String,
    /// What the buyer told, such as the name for a license.
    pub detail: Option<String>,
    /// How many.
    pub quantity: u32,
    /// 1 leaves no quantity to choose.
    pub quantity_max: u32,
    /// The price of one.
    pub unit_price: Money,
    /// The price of all.
    pub total: Money,
    /// Something that changed since it was put in, such as the price.
    pub note: Option<String>,
}

/// Whether a field is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// The gateway tells it later.
    No,
    /// It may stay empty.
    Optional,
    /// Without it there is no checkout.
    Required,
}

/// What a seller may want to know before the payment.
#[derive(Debug, Clone, Serialize)]
pub struct BuyerForm {
    /// Whether to ask for the mail address (`email`).
    pub ask_email: Ask,
    /// What was typed.
    pub email: String,
    /// Whether to ask for the name (`name`).
    pub ask_name: Ask,
    /// What was typed.
    pub name: String,
    /// Statements to agree to.
    pub consents: Vec<Consent>,
}

/// A statement with a check box. Its text is kept with the order.
#[derive(Debug, Clone, Serialize)]
pub struct Consent {
    /// The form field.
    pub name: String,
    /// The statement.
    pub text: String,
    /// Whether the order cannot go on without it.
    pub required: bool,
    /// Whether it was checked. Never so before the buyer has done it.
    pub checked: bool,
}

/// One way to pay.
#[derive(Debug, Clone, Serialize)]
pub struct GatewayChoice {
    /// The value of the form field `connection`.
    pub value: String,
    /// Its name.
    pub label: String,
    /// What it takes.
    pub hint: Option<String>,
}

/// templates/shop/handoff.html - opens the gateway with the form it wants.
///
/// Our own token is not in that form: it is nobody else's business.
#[derive(Debug, Clone, Serialize)]
pub struct HandoffPage {
    /// The gateway's name, for "Continue to PayPal".
    pub gateway: String,
    /// Where the form posts to; the CSP's `form-action` must name it.
    pub action: String,
    /// What it posts.
    pub fields: Vec<HiddenField>,
    /// The order's number.
    pub order_number: String,
    /// What will be paid.
    pub total: Money,
    /// The way back.
    pub cart_path: String,
}

/// A field of the gateway's form.
#[derive(Debug, Clone, Serialize)]
pub struct HiddenField {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

fn line(id: &str, name: &str, quantity: u32, unit: i64, total: i64) -> CartLine {
    CartLine {
        id: text(id),
        path: text("/p/KNOTS"),
        name: text(name),
        detail: None,
        quantity,
        quantity_max: 1_000,
        unit_price: eur(unit),
        total: eur(total),
        note: None,
    }
}

fn nobody() -> BuyerForm {
    BuyerForm {
        ask_email: Ask::No,
        email: String::new(),
        ask_name: Ask::No,
        name: String::new(),
        consents: Vec::new(),
    }
}

impl Template for CartPage {
    const NAME: &'static str = "shop/cart.html";

    fn samples() -> Vec<Self> {
        let gateway = |value: &str, label: &str, hint: Option<&str>| GatewayChoice {
            value: text(value),
            label: text(label),
            hint: hint.map(text),
        };
        let paypal = gateway("con_1", "PayPal", Some("Card, bank account or PayPal balance"));
        let plain = Self {
            lines: vec![
                line("1", "Forty Knots", 1, 19_00, 19_00),
                line("2", "Harbor Charts, North", 2, 49_00, 98_00),
            ],
            subtotal: None,
            adjustments: Vec::new(),
            total: Some(eur(117_00)),
            tax_note: Some(text("including 19 % VAT")),
            buyer: BuyerForm { ask_email: Ask::Required, ..nobody() },
            gateways: vec![paypal.clone()],
            errors: BTreeMap::new(),
        };
        let consent = |name: &str, words: &str, required| Consent {
            name: text(name),
            text: text(words),
            required,
            checked: false,
        };
        let waiver =
            "I want the download at once, and I know that I lose my right of withdrawal when it begins.";
        let longest = Self {
            lines: vec![
                CartLine {
                    detail: Some(text(LONG)),
                    note: Some(text("The price has changed since you put this in.")),
                    ..line("1", LONG, 1_000, 999_999_99, 999_999_990_00)
                },
                CartLine { quantity_max: 1, ..line("2", RIGHT_TO_LEFT, 1, 1, 1) },
            ],
            subtotal: Some(eur(999_999_990_01)),
            adjustments: vec![
                (text("Spring discount"), eur(-10_00)),
                (text("VAT 19 %"), eur(190_000_000_00)),
            ],
            total: Some(eur(1_189_999_980_01)),
            tax_note: None,
            buyer: BuyerForm {
                ask_email: Ask::Required,
                email: text("not an address"),
                ask_name: Ask::Optional,
                name: text(RIGHT_TO_LEFT),
                consents: vec![consent("waiver", waiver, true), consent("news", LONG, false)],
            },
            gateways: vec![paypal, gateway("con_2", "Bank transfer", None)],
            errors: [
                (text("email"), text("An e-mail address has the form name@domain.")),
                (text("waiver"), text("Please agree, or we cannot deliver at once.")),
            ]
            .into(),
        };
        let shortest = Self {
            lines: vec![CartLine { quantity_max: 1, ..line("1", SHORT, 1, 0, 0) }],
            total: Some(eur(0)),
            tax_note: None,
            buyer: nobody(),
            ..plain.clone()
        };
        let empty = Self { lines: Vec::new(), total: None, tax_note: None, buyer: nobody(), ..plain.clone() };
        vec![plain, longest, shortest, empty]
    }
}

impl Template for HandoffPage {
    const NAME: &'static str = "shop/handoff.html";

    fn samples() -> Vec<Self> {
        let field = |name: &str, value: &str| HiddenField { name: text(name), value: text(value) };
        let plain = Self {
            gateway: text("PayPal"),
            action: text("https://pay.example/cgi-bin/webscr"),
            fields: vec![
                field("cmd", "_cart"),
                field("business", "shop@shop.example"),
                field("custom", LONG),
            ],
            order_number: text("2026-000117"),
            total: eur(117_00),
            cart_path: text("/cart"),
        };
        vec![
            plain.clone(),
            Self { gateway: text(LONG), ..plain.clone() },
            Self { gateway: text(RIGHT_TO_LEFT), ..plain },
        ]
    }
}
