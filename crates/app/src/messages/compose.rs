//! What a message says: gathered from rows, rendered, addressed.

use db::{DbError, Source};
use kernel::Timestamp;
use mail::{Contact, Outgoing};

use super::{Message, MessageKind};
use crate::downloads;
use crate::fulfillment::{self, Grant, GrantStatus};
use crate::links;
use crate::merchants::{self, Merchant};
use crate::orders::{self, Line, Order};
use crate::ring::Ring;

/// Everything that composing needs, read in one moment.
#[derive(Debug)]
pub struct Material {
    /// From whom.
    pub merchant: Merchant,
    /// About which order, with its lines.
    pub order: Option<(Order, Vec<Line>)>,
    /// What the order gives, where access is open.
    pub deliveries: Vec<Delivery>,
    /// Scheme and host of our pages.
    pub base_url: String,
    /// When it is composed.
    pub now: Timestamp,
}

/// One unit with its link.
#[derive(Debug)]
pub struct Delivery {
    /// The right.
    pub grant: Grant,
    /// The line's name.
    pub name: String,
    /// The keyed URL.
    pub url: String,
    /// Its files.
    pub files: Vec<downloads::GrantedFile>,
}

/// Reads what a message needs.
pub fn gather(
    source: &mut impl Source,
    ring: &Ring,
    base_url: &str,
    message: &Message,
    now: Timestamp,
) -> Result<Material, DbError> {
    let merchant = merchants::store::by_id(source, message.merchant)?;
    let order = match message.order {
        Some(id) => orders::store::by_id(source, message.merchant, id)?,
        None => None,
    };
    let mut deliveries = Vec::new();
    let mut about = None;
    if let Some(order) = order {
        let lines = orders::store::lines(source, message.merchant, order.id)?;
        deliveries = deliveries_of(source, ring, base_url, &order, &lines)?;
        about = Some((order, lines));
    }
    Ok(Material { merchant, order: about, deliveries, base_url: base_url.to_owned(), now })
}

/// What an order gives now, with the links to it.
pub fn deliveries_of(
    source: &mut impl Source,
    ring: &Ring,
    base_url: &str,
    order: &Order,
    lines: &[Line],
) -> Result<Vec<Delivery>, DbError> {
    let mut deliveries = Vec::new();
    for grant in fulfillment::store::of_order(source, order.merchant, order.id)? {
        if !matches!(grant.status, GrantStatus::Active | GrantStatus::Provisional) {
            continue;
        }
        let Some(token) = links::grant_token(ring, &grant) else { continue };
        let line = lines.iter().find(|line| line.id == grant.line);
        let files = downloads::store::files(source, &grant)?;
        deliveries.push(Delivery {
            name: line.map(|line| line.name.clone()).unwrap_or_default(),
            url: format!("{base_url}/d/{token}"),
            grant,
            files,
        });
    }
    Ok(deliveries)
}

/// Renders and addresses a message.
///
/// # Errors
/// In words, when it cannot be rendered: no retry would help.
pub fn compose(_renderer: &ui::Renderer, message: &Message, material: &Material) -> Result<Outgoing, String> {
    let mut text = String::new();
    for delivery in &material.deliveries {
        text.push_str(&format!("{}\n{}\n", delivery.name, delivery.url));
        for file in &delivery.files {
            text.push_str(&format!(
                "  {}  {} bytes\n  SHA-256 {}\n  MD5 {}\n",
                file.name, file.size, file.sha256, file.md5
            ));
        }
    }
    let subject = match message.kind {
        MessageKind::Receipt => "Your download".to_owned(),
        other => other.to_string(),
    };
    let domain = material.merchant.sender_email.as_str().rsplit('@').next().unwrap_or("localhost").to_owned();
    Ok(Outgoing {
        message_id: format!("{}@{domain}", message.id),
        from: Contact {
            name: material.merchant.name.clone(),
            address: material.merchant.sender_email.clone(),
        },
        to: Contact { name: String::new(), address: message.to.clone() },
        reply_to: Some(Contact { name: String::new(), address: material.merchant.support_email.clone() }),
        subject,
        text,
        html: None,
        date: material.now,
    })
}
