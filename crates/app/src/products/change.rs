//! Changing products: what is sold from now on. What was sold stays as it was sold.

use kernel::{Currency, PriceId, ProductFileId, ProductId, Span, Timestamp};
use ui::texts::{Placeholder, Text};

use super::flow::{StoredFile, add_file, valid_file_name, valid_name, valid_sku};
use super::{FilePolicy, PendingPolicy, Price, Product, ProductFile, ProductStatus, store};
use crate::cx::Cx;
use crate::events;
use crate::problem::{Code, Flow, Problem};

/// What is to be different; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// The external item number.
    pub sku: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// For its page.
    pub description: Option<String>,
    /// Whether it can be bought.
    pub status: Option<ProductStatus>,
    /// The text in the mail with the links.
    pub standard_text: Option<String>,
    /// The text of a second message.
    pub other_text: Option<String>,
    /// Support information under its mails.
    pub support_text: Option<String>,
    /// How long links live.
    pub link_life: Option<Span>,
    /// How often each file may be fetched.
    pub download_limit: Option<u32>,
    /// Which versions a buyer gets.
    pub file_policy: Option<FilePolicy>,
    /// For how many days new ones.
    pub update_days: Option<u32>,
    /// What a buyer gets while the payment is pending.
    pub pending_policy: Option<PendingPolicy>,
    /// The version that was looked at; a change by somebody else since is a conflict.
    pub version: Option<i64>,
}

/// Longest text of a product.
pub const TEXT_LENGTH_MAX: usize = 20_000;
/// Shortest life of a link.
pub const LINK_LIFE_MIN: Span = Span::minutes(1);
/// Longest life of a link.
pub const LINK_LIFE_MAX: Span = Span::days(3_650);
/// Most fetches of a file.
pub const DOWNLOAD_LIMIT_MAX: u32 = 1_000_000;

/// Most days of updates.
pub const UPDATE_DAYS_MAX: u32 = 36_500;

/// Changes a product.
pub fn change(cx: &mut Cx<'_, '_>, id: ProductId, wanted: &Change) -> Flow<Product> {
    let before = store::lock(cx.tx, cx.merchant, id)?.ok_or_else(|| Problem::not_found("product"))?;
    if wanted.version.is_some_and(|seen| seen != before.version) {
        let text = format!("this product is at version {} now; load it again", before.version);
        return Err(Problem::conflict(text).at("version").into());
    }
    let mut after = before.clone();
    apply(&mut after, wanted)?;
    if after.sku != before.sku && store::by_sku(cx.tx, cx.merchant, &after.sku)?.is_some() {
        let text = format!("there is already a product with the item number \"{}\"", after.sku);
        return Err(Problem::new(Code::Taken, text).at("sku").into());
    }
    let changed = differences(&before, &after);
    if changed.is_empty() {
        return Ok(before);
    }
    store::save(cx.tx, &after, cx.now)?;
    after.updated_at = cx.now;
    after.version += 1;
    record(cx, &after, changed)?;
    Ok(after)
}

/// Going on and off sale have words of their own in the log: they are what people look for.
fn record(cx: &mut Cx<'_, '_>, product: &Product, mut changed: Vec<&'static str>) -> Flow<()> {
    let sale = match product.status {
        ProductStatus::Active => Some("product.activated"),
        ProductStatus::Archived => Some("product.archived"),
        ProductStatus::Draft => None,
    };
    if let Some(kind) = sale.filter(|_| changed.contains(&"status")) {
        changed.retain(|field| *field != "status");
        events::flow::record(cx, None, product.id, kind, serde_json::json!({ "sku": product.sku }))?;
    }
    if !changed.is_empty() {
        let detail = serde_json::json!({ "fields": changed });
        events::flow::record(cx, None, product.id, "product.changed", detail)?;
    }
    Ok(())
}

fn apply(product: &mut Product, wanted: &Change) -> Result<(), Problem> {
    if let Some(sku) = &wanted.sku {
        product.sku = valid_sku(sku)?;
    }
    if let Some(name) = &wanted.name {
        product.name = valid_name(name)?;
    }
    if let Some(description) = &wanted.description {
        product.description = valid_text("description", description)?;
    }
    let texts = [
        ("standard_text", &wanted.standard_text, &mut product.standard_text),
        ("other_text", &wanted.other_text, &mut product.other_text),
        ("support_text", &wanted.support_text, &mut product.support_text),
    ];
    for (field, wanted, text) in texts {
        if let Some(wanted) = wanted {
            *text = valid_mail_text(field, wanted)?;
        }
    }
    if let Some(life) = wanted.link_life {
        if !(LINK_LIFE_MIN..=LINK_LIFE_MAX).contains(&life) {
            return Err(Problem::invalid("link_life_seconds", "a link lives 60 seconds to 3,650 days"));
        }
        product.link_life = life;
    }
    if let Some(limit) = wanted.download_limit {
        if !(1..=DOWNLOAD_LIMIT_MAX).contains(&limit) {
            let text = format!("a download limit is 1 to {DOWNLOAD_LIMIT_MAX}");
            return Err(Problem::invalid("download_limit", text));
        }
        product.download_limit = limit;
    }
    product.status = wanted.status.unwrap_or(product.status);
    product.file_policy = wanted.file_policy.unwrap_or(product.file_policy);
    product.update_days = update_days(product, wanted.update_days)?;
    product.pending_policy = wanted.pending_policy.unwrap_or(product.pending_policy);
    Ok(())
}

/// The days go with their policy: without it there are none, with it there must be some.
fn update_days(product: &Product, wanted: Option<u32>) -> Result<Option<u32>, Problem> {
    match (product.file_policy, wanted.or(product.update_days)) {
        (FilePolicy::UpdatesUntil, Some(days)) if (1..=UPDATE_DAYS_MAX).contains(&days) => Ok(Some(days)),
        (FilePolicy::UpdatesUntil, _) => {
            let text = format!("say for how many days buyers get new versions, 1 to {UPDATE_DAYS_MAX}");
            Err(Problem::invalid("update_days", text))
        }
        (FilePolicy::AsBought | FilePolicy::Latest, _) if wanted.is_some() => {
            let text = "days of updates belong to the policy updates_until";
            Err(Problem::invalid("update_days", text))
        }
        (FilePolicy::AsBought | FilePolicy::Latest, _) => Ok(None),
    }
}

fn differences(before: &Product, after: &Product) -> Vec<&'static str> {
    let fields = [
        ("sku", before.sku != after.sku),
        ("name", before.name != after.name),
        ("description", before.description != after.description),
        ("status", before.status != after.status),
        ("standard_text", before.standard_text != after.standard_text),
        ("other_text", before.other_text != after.other_text),
        ("support_text", before.support_text != after.support_text),
        ("link_life", before.link_life != after.link_life),
        ("download_limit", before.download_limit != after.download_limit),
        ("file_policy", before.file_policy != after.file_policy),
        ("update_days", before.update_days != after.update_days),
        ("pending_policy", before.pending_policy != after.pending_policy),
    ];
    fields.into_iter().filter(|(_, differs)| *differs).map(|(field, _)| field).collect()
}

/// A text of several lines.
pub fn valid_text(field: &str, text: &str) -> Result<String, Problem> {
    let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    if text.chars().count() > TEXT_LENGTH_MAX || text.chars().any(odd) {
        let text = format!("a text has at most {TEXT_LENGTH_MAX} characters, and no control characters");
        return Err(Problem::invalid(field, text));
    }
    Ok(text.to_owned())
}

/// A text for mails: checked now, so that no receipt is held up by it later.
pub fn valid_mail_text(field: &str, text: &str) -> Result<String, Problem> {
    Text::parse(text, &Placeholder::ALL).map_err(|error| Problem::invalid(field, error))?;
    valid_text(field, text)
}

/// Ends the sale in a currency from a moment on. Prices that were to come later are taken back:
/// they would begin it again.
pub fn end_price(cx: &mut Cx<'_, '_>, product: &Product, currency: Currency, from: Timestamp) -> Flow<()> {
    let withdrawn = store::delete_coming_prices(cx.tx, cx.merchant, product.id, currency, from)?;
    let row = Price { minor: None, currency, valid_from: from };
    store::insert_price(cx.tx, PriceId::mint(cx.draws), cx.merchant, product.id, row)?;
    store::raise(cx.tx, cx.merchant, product.id, cx.now)?;
    let detail = serde_json::json!({ "currency": currency, "from": from, "coming_withdrawn": withdrawn });
    events::flow::record(cx, None, product.id, "product.price_ended", detail)?;
    Ok(())
}

/// Takes back a price before it comes into force.
pub fn withdraw_price(cx: &mut Cx<'_, '_>, product: &Product, id: PriceId) -> Flow<()> {
    if !store::delete_coming_price(cx.tx, cx.merchant, product.id, id, cx.now)? {
        return Err(Problem::not_found("price to come").into());
    }
    store::raise(cx.tx, cx.merchant, product.id, cx.now)?;
    events::flow::record(
        cx,
        None,
        product.id,
        "product.price_withdrawn",
        serde_json::json!({ "price": id }),
    )?;
    Ok(())
}

/// Takes a file off a product. Who has bought it keeps it.
pub fn remove_file(cx: &mut Cx<'_, '_>, product: &Product, file: ProductFileId) -> Flow<()> {
    let known = store::files(cx.tx, cx.merchant, product.id)?.into_iter().find(|known| known.file == file);
    let known = known.ok_or_else(|| Problem::not_found("file"))?;
    store::remove_file(cx.tx, cx.merchant, product.id, file, cx.now)?;
    store::touch(cx.tx, cx.merchant, product.id, cx.now)?;
    let detail = serde_json::json!({ "name": known.name, "sha256": known.sha256, "size": known.size });
    events::flow::record(cx, None, product.id, "product.file_removed", detail)?;
    Ok(())
}

/// From when a price is to hold. What buyers were shown cannot be rewritten.
pub fn valid_from(now: Timestamp, wanted: Option<Timestamp>) -> Result<Timestamp, Problem> {
    match wanted {
        Some(at) if at < now => Err(Problem::invalid("valid_from", "a price cannot begin in the past")),
        Some(at) => Ok(at),
        None => Ok(now),
    }
}

/// Puts a content under a name: a new file, or a new version of the one with this name.
/// The content must lie in the blob store already.
pub fn put_file(cx: &mut Cx<'_, '_>, product: &Product, stored: &StoredFile) -> Flow<ProductFile> {
    let name = valid_file_name(&stored.name)?;
    let known = store::files(cx.tx, cx.merchant, product.id)?.into_iter().find(|file| file.name == name);
    match known {
        None => add_file(cx, product, stored),
        Some(same) if same.sha256 == stored.sha256 => Ok(same),
        Some(old) => super::flow::replace_file(cx, product, &old, stored),
    }
}
