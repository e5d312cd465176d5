//! The cart's page.

use std::collections::BTreeMap;

use kernel::Money;
use ui::shop::{Ask, BuyerForm, CartLine, CartPage, Consent, GatewayChoice};

use super::flow::{Priced, PricedLine};
use crate::artworks;
use crate::choices::Answers;
use crate::connections::Connection;
use crate::merchants::Merchant;
use crate::orders::QUANTITY_MAX;
use crate::products;

/// The field of the merchant's consent text.
pub const CONSENT_FIELD: &str = "consent";

/// What the buyer typed before the page is shown once more.
#[derive(Debug, Clone, Default)]
pub struct Typed {
    /// The address.
    pub email: String,
    /// The name.
    pub name: String,
    /// Whether the terms were agreed to.
    pub consented: bool,
}

/// The page of a cart with today's prices.
pub fn page(
    merchant: &Merchant,
    priced: &Priced,
    offered: &[Connection],
    typed: &Typed,
    errors: BTreeMap<String, String>,
) -> CartPage {
    let consent = (!merchant.consent_text.is_empty()).then(|| Consent {
        name: CONSENT_FIELD.to_owned(),
        text: merchant.consent_text.clone(),
        required: true,
        checked: typed.consented,
    });
    CartPage {
        lines: priced.lines.iter().map(line).collect(),
        subtotal: None,
        adjustments: Vec::new(),
        total: priced.total,
        tax_note: None,
        buyer: BuyerForm {
            // A gateway's address may be missing, shared or old; this one is read by the buyer.
            ask_email: Ask::Required,
            email: typed.email.clone(),
            ask_name: Ask::Optional,
            name: typed.name.clone(),
            consents: consent.into_iter().collect(),
        },
        gateways: offered.iter().map(choice).collect(),
        errors,
    }
}

fn line(line: &PricedLine) -> CartLine {
    let unit_price: Money = line.unit;
    CartLine {
        id: line.item.name(),
        path: path(line),
        name: line.product.name.clone(),
        detail: line.answers.as_ref().map(chosen).filter(|text| !text.is_empty()),
        quantity: line.item.quantity,
        quantity_max: QUANTITY_MAX,
        unit_price,
        total: line.whole,
        note: None,
    }
}

/// The product's page, with what was filled in of its artwork.
fn path(line: &PricedLine) -> String {
    let page = products::path(&line.product);
    match line.item.choice.filter(|_| line.product.deliverables.artwork.is_some()) {
        Some(choice) => format!("{page}?design={choice}"),
        None => page,
    }
}

/// What was chosen, in one line.
fn chosen(answers: &Answers) -> String {
    let values = answers.attributes.values().filter_map(serde_json::Value::as_str).map(str::to_owned);
    values.chain(artworks::view::texts(&answers.inputs)).collect::<Vec<_>>().join(", ")
}

fn choice(connection: &Connection) -> GatewayChoice {
    GatewayChoice { value: connection.id.to_string(), label: connection.brand().to_owned(), hint: None }
}
