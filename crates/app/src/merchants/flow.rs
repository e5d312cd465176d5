//! Making a merchant, and changing its settings.

use kernel::{Currency, EmailAddress, MerchantId};

use super::settings::{self, Typed, Wrong};
use super::{Merchant, store};
use crate::alarms::Watch;
use crate::cx::Cx;
use crate::problem::{Code, Flow, Problem};
use crate::products::flow::StoredFile;
use crate::{alarms, events, products};

/// What a new merchant needs; the rest has defaults that the back office can change.
#[derive(Debug, Clone)]
pub struct NewMerchant {
    /// Lower-case letters, digits and hyphens; unique.
    pub slug: String,
    /// As shown on pages.
    pub name: String,
    /// Where its mail comes from and buyers write to.
    pub email: EmailAddress,
    /// What new products are priced in.
    pub currency: Currency,
}

const SLUG_LENGTH_MAX: usize = 60;

/// Makes a merchant. `cx.merchant` is ignored: the new one is answered.
pub fn create(cx: &mut Cx<'_, '_>, new: &NewMerchant) -> Flow<Merchant> {
    let letters = new.slug.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if new.slug.is_empty() || new.slug.len() > SLUG_LENGTH_MAX || !letters || new.slug.starts_with('-') {
        let text =
            "a slug has 1 to 60 lower-case letters, digits and hyphens, and does not begin with a hyphen";
        return Err(Problem::invalid("slug", text).into());
    }
    if new.name.trim().is_empty() {
        return Err(Problem::invalid("name", "a merchant needs a name").into());
    }
    if store::by_slug(cx.tx, &new.slug)?.is_some() {
        let text = format!("there is already a merchant \"{}\"", new.slug);
        return Err(Problem::new(Code::Taken, text).at("slug").into());
    }
    let merchant = Merchant {
        id: MerchantId::mint(cx.draws),
        slug: new.slug.clone(),
        host: None,
        name: new.name.trim().to_owned(),
        legal_name: new.name.trim().to_owned(),
        legal_address: String::new(),
        country: None,
        vat_id: None,
        time_zone: "UTC".to_owned(),
        locale: "en".to_owned(),
        currency: new.currency,
        sender_email: new.email.clone(),
        support_email: new.email.clone(),
        alarm_email: None,
        support_text: String::new(),
        consent_text: String::new(),
        accent: "#2f5d50".to_owned(),
        logo_sha256: None,
        words: serde_json::json!({}),
        created_at: cx.now,
        version: 1,
    };
    store::insert(cx.tx, &merchant)?;
    alarms::store::insert(cx.tx, &Watch::begun(merchant.id, cx.now))?;
    cx.merchant = merchant.id;
    events::flow::record(
        cx,
        None,
        merchant.id,
        "merchant.created",
        serde_json::json!({ "slug": merchant.slug }),
    )?;
    Ok(merchant)
}

/// What came of saving a merchant's settings.
#[derive(Debug)]
pub enum Saved {
    /// They are in force.
    Done,
    /// These fields are wrong; nothing was saved.
    Wrong(Wrong),
    /// Somebody else has saved since the form was loaded: this.
    Stale(Box<Merchant>),
}

/// Saves a merchant's settings, if nobody has saved others since they were read.
pub fn change(cx: &mut Cx<'_, '_>, version: i64, typed: &Typed) -> Flow<Saved> {
    let merchant = store::by_id(cx.tx, cx.merchant)?;
    if merchant.version != version {
        return Ok(Saved::Stale(Box::new(merchant)));
    }
    let changed = match settings::read(typed, &merchant) {
        Ok(changed) => changed,
        Err(wrong) => return Ok(Saved::Wrong(wrong)),
    };
    let fields = settings::changes(&merchant, &changed);
    if !fields.is_empty() {
        store::save(cx.tx, &changed)?;
        let detail = serde_json::json!({ "fields": fields.join(", ") });
        events::flow::record(cx, None, merchant.id, "merchant.changed", detail)?;
    }
    Ok(Saved::Done)
}

/// Shows this picture as the logo, or none.
pub fn set_logo(cx: &mut Cx<'_, '_>, logo: Option<&StoredFile>) -> Flow<()> {
    let mut merchant = store::by_id(cx.tx, cx.merchant)?;
    if let Some(file) = logo {
        products::store::insert_blob(cx.tx, &file.sha256, file.size, file.crc32, &file.md5, cx.now)?;
    }
    let sha256 = logo.map(|file| file.sha256.clone());
    if merchant.logo_sha256 == sha256 {
        return Ok(());
    }
    let kind = if sha256.is_some() { "merchant.logo_changed" } else { "merchant.logo_removed" };
    let detail = serde_json::json!({ "sha256": sha256, "was": merchant.logo_sha256 });
    merchant.logo_sha256 = sha256;
    store::save(cx.tx, &merchant)?;
    events::flow::record(cx, None, merchant.id, kind, detail)?;
    Ok(())
}
