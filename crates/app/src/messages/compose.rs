//! What a message says: gathered from rows, rendered, addressed.

use std::collections::BTreeMap;

use db::{DbError, Source};
use kernel::{Money, ProductId, Timestamp};
use mail::{Contact, Outgoing};
use ui::admin::{AlarmKind, Word as _};
use ui::mails::{
    AccessClosedMail, AddressChangedMail, AlarmNote, ArchivePassword, ArchivePasswordMail, ClosedBecause,
    DeliveryMail, MailDelivery, MerchantAlarmMail, Occasion, PaymentFailedMail, PaymentPendingMail,
    ProductNoteMail, ReceiptFacts, SignInMail, StaffInvitationMail,
};
use ui::shop::{KeyShown, LinkState};
use ui::{Frame, Mail, MailBody, Renderer};

use super::{Message, MessageKind, texts};
use crate::alarms::Note;
use crate::archives::{self, flow::UnitPassword};
use crate::downloads::{self, GrantedFile};
use crate::fulfillment::{self, Grant, GrantStatus};
use crate::invoices::{Invoice, InvoiceKind};
use crate::links;
use crate::merchants::{self, Address, Merchant};
use crate::orders::view::{self, Seen};
use crate::orders::{self, Line, Order, checkout};
use crate::products::{self, Product};
use crate::ring::Ring;
use crate::sessions;

/// So many units are listed in one mail; the portal has all of them. Mail servers refuse what
/// is too large, and then the buyer would have none.
const UNITS_LISTED_MAX: usize = 100;

/// Everything that composing needs, read in one moment.
#[derive(Debug)]
pub struct Material {
    /// When it was read: links that have run out by then are told as such.
    pub now: Timestamp,
    /// From whom.
    pub merchant: Merchant,
    /// Where its pages are.
    pub address: Address,
    /// About which order, and how that stands.
    pub order: Option<Seen>,
    /// What the order gives, where access is open.
    pub deliveries: Vec<Delivery>,
    /// The products of the order, with the merchant's texts.
    pub products: BTreeMap<ProductId, Product>,
    /// The order's thank-you page.
    pub page_url: Option<String>,
    /// What lets the reader in, opened from the message.
    pub login_url: Option<String>,
    /// The passwords of archives, for the one mail that tells them.
    pub passwords: Vec<UnitPassword>,
}

/// One unit with its link.
#[derive(Debug)]
pub struct Delivery {
    /// The right.
    pub grant: Grant,
    /// The line's name.
    pub name: String,
    /// How many units the line has.
    pub units: u32,
    /// The keyed URL.
    pub url: String,
    /// Its files.
    pub files: Vec<GrantedFile>,
    /// What its buyer is told.
    pub keys: Vec<KeyShown>,
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
    let address = merchants::store::address(source, base_url, &merchant)?;
    let mut material = Material {
        now,
        login_url: login_url(ring, &address, message),
        merchant,
        address,
        order: None,
        deliveries: Vec::new(),
        products: BTreeMap::new(),
        page_url: None,
        passwords: Vec::new(),
    };
    let Some(id) = message.order else { return Ok(material) };
    let Some(order) = orders::store::by_id(source, message.merchant, id)? else { return Ok(material) };
    let seen = view::see(source, order)?;
    for id in seen.lines.iter().filter_map(|line| line.product) {
        if let Some(product) = products::store::by_id(source, message.merchant, id)? {
            material.products.insert(id, product);
        }
    }
    material.deliveries = open_deliveries(ring, &material.address, &seen);
    if message.kind == MessageKind::ArchivePassword {
        let open: Vec<Grant> = seen.grants.iter().filter(|grant| is_open(grant)).cloned().collect();
        material.passwords = archives::flow::mailed(source, ring, &seen.lines, &open)?;
    }
    material.page_url = checkout::page_url(ring, &material.address, &seen.order);
    material.order = Some(seen);
    Ok(material)
}

/// What an order gives now, with the links to it.
pub fn deliveries_of(
    source: &mut impl Source,
    ring: &Ring,
    base_url: &str,
    order: &Order,
    lines: &[Line],
) -> Result<Vec<Delivery>, DbError> {
    let merchant = merchants::store::by_id(source, order.merchant)?;
    let address = merchants::store::address(source, base_url, &merchant)?;
    let grants = fulfillment::store::of_order(source, order.merchant, order.id)?;
    let mut files: BTreeMap<_, Vec<GrantedFile>> = BTreeMap::new();
    for (grant, file) in downloads::store::files_of_order(source, order.merchant, order.id)? {
        files.entry(grant).or_default().push(file);
    }
    let open = grants.into_iter().filter(is_open);
    Ok(open
        .filter_map(|grant| {
            let files = files.remove(&grant.id).unwrap_or_default();
            delivery(ring, &address, lines, grant, files)
        })
        .collect())
}

fn open_deliveries(ring: &Ring, address: &Address, seen: &Seen) -> Vec<Delivery> {
    let open = seen.grants.iter().filter(|grant| is_open(grant));
    open.filter_map(|grant| {
        let files = seen.files.get(&grant.id).cloned().unwrap_or_default();
        let keys = seen.keys(ring, grant, LinkState::Open);
        Some(Delivery { keys, ..delivery(ring, address, &seen.lines, grant.clone(), files)? })
    })
    .collect()
}

fn is_open(grant: &Grant) -> bool {
    matches!(grant.status, GrantStatus::Active | GrantStatus::Provisional)
}

fn delivery(
    ring: &Ring,
    address: &Address,
    lines: &[Line],
    grant: Grant,
    files: Vec<GrantedFile>,
) -> Option<Delivery> {
    let token = links::grant_token(ring, &grant)?;
    let line = lines.iter().find(|line| line.id == grant.line);
    Some(Delivery {
        name: line.map(|line| line.name.clone()).unwrap_or_default(),
        units: line.map_or(1, |line| fulfillment::units_of(line.quantity).0),
        url: address.url(&format!("/d/{token}")),
        grant,
        files,
        keys: Vec::new(),
    })
}

/// The one-time link of a message that lets somebody in. It lies sealed in the message.
fn login_url(ring: &Ring, address: &Address, message: &Message) -> Option<String> {
    let text = |name: &str| message.context.get(name).and_then(serde_json::Value::as_str);
    let (path, sealed) = (text("path")?, text("link")?);
    match sessions::open_sealed(ring, sealed) {
        Ok(token) => Some(address.url(&match message.kind {
            MessageKind::StaffInvitation => format!("{path}/{}", token.expose()),
            _ => format!("{path}?token={}", token.expose()),
        })),
        Err(error) => {
            tracing::error!(%error, message = %message.id, "a sealed sign-in link cannot be opened");
            None
        }
    }
}

/// The products of which something is still being made.
fn waiting(seen: &Seen) -> Vec<String> {
    let making = |line: &&Line| {
        let own = |grant: &&Grant| grant.line == line.id && is_open(grant);
        seen.grants.iter().filter(own).any(|grant| seen.is_making(grant))
    };
    seen.lines.iter().filter(making).map(|line| line.name.clone()).collect()
}

impl Material {
    /// Whether the message tells its reader that something is still to come.
    pub fn tells_to_wait(&self) -> bool {
        self.order.as_ref().is_some_and(|seen| !waiting(seen).is_empty())
    }
}

/// Renders and addresses a message. The same message and material give the same bytes.
///
/// # Errors
/// In words, when it cannot be rendered: no retry would help.
pub fn compose(renderer: &Renderer, message: &Message, material: &Material) -> Result<Outgoing, String> {
    let merchant = &material.merchant;
    let tag = material.order.as_ref().map(|seen| seen.order.locale.as_str()).unwrap_or_default();
    let surroundings = merchants::view::surroundings(merchant, &material.address);
    let locale = merchants::view::language(merchant, tag);
    let frame = Frame::new(locale, message.created_at, surroundings, "/");
    let body = Composer { renderer, frame, message, material }.body()?;
    let domain = merchant.sender_email.as_str().rsplit('@').next().unwrap_or("localhost");
    let to_name = material.order.as_ref().map(|seen| seen.order.buyer_name.clone()).unwrap_or_default();
    Ok(Outgoing {
        message_id: format!("{}@{domain}", message.id),
        from: Contact { name: merchant.name.clone(), address: merchant.sender_email.clone() },
        to: Contact { name: to_name, address: message.to.clone() },
        reply_to: Some(Contact { name: String::new(), address: merchant.support_email.clone() }),
        subject: body.subject,
        text: body.text,
        html: Some(body.html),
        date: message.created_at,
    })
}

struct Composer<'a> {
    renderer: &'a Renderer,
    frame: Frame,
    message: &'a Message,
    material: &'a Material,
}

impl Composer<'_> {
    fn body(&self) -> Result<MailBody, String> {
        match self.message.kind {
            MessageKind::Receipt => self.delivery(Occasion::Receipt),
            MessageKind::LinksResent => self.delivery(Occasion::Resent),
            MessageKind::LinksReissued => self.delivery(Occasion::Reissued),
            MessageKind::LinkExtended => self.delivery(Occasion::Extended),
            MessageKind::Regenerated => self.delivery(Occasion::Regenerated),
            MessageKind::Ready => self.delivery(Occasion::Ready),
            MessageKind::Reinstated => self.delivery(Occasion::Reinstated),
            MessageKind::PaymentPending => self.pending(),
            MessageKind::PaymentFailed => self.failed(),
            MessageKind::Refunded => self.refunded(),
            MessageKind::Suspended => self.closed(ClosedBecause::Reversal, None),
            MessageKind::OtherText => self.other_text(),
            MessageKind::ArchivePassword => self.archive_password(),
            MessageKind::SignIn => self.sign_in(),
            MessageKind::AddressChanged => {
                self.render(&AddressChangedMail { email: self.message.to.to_string() })
            }
            MessageKind::StaffInvitation => self.invitation(),
            MessageKind::Alarm => self.alarm(),
        }
    }

    fn render<M: Mail>(&self, mail: &M) -> Result<MailBody, String> {
        self.renderer.mail(mail, &self.frame).map_err(|error| error.to_string())
    }

    fn seen(&self) -> Result<&Seen, String> {
        self.material.order.as_ref().ok_or_else(|| "its order is gone".to_owned())
    }

    fn url(&self, path: &str) -> String {
        self.material.address.url(path)
    }

    fn page_url(&self) -> String {
        self.material.page_url.clone().unwrap_or_else(|| self.url("/portal"))
    }

    fn delivery(&self, occasion: Occasion) -> Result<MailBody, String> {
        let seen = self.seen()?;
        let order = &seen.order;
        let receipt = (occasion == Occasion::Receipt).then(|| ReceiptFacts {
            lines: seen.lines.iter().map(|line| view::order_line(line, order)).collect(),
            total: order.due(),
            gateway: seen.brand.clone(),
            paid_at: order.paid_at.unwrap_or(self.message.created_at),
        });
        let mut told: Vec<kernel::LineId> = Vec::new();
        let mut deliveries = Vec::new();
        for delivery in self.material.deliveries.iter().take(UNITS_LISTED_MAX) {
            // The seller's words stand under a line's first unit, not under each of a hundred.
            let first = !told.contains(&delivery.grant.line);
            told.push(delivery.grant.line);
            deliveries.push(MailDelivery {
                product: delivery.name.clone(),
                unit: delivery.grant.unit_no,
                units: delivery.units,
                link_url: Some(delivery.url.clone()),
                expires_at: Some(delivery.grant.expires_at),
                is_over: delivery.grant.expires_at <= self.material.now,
                downloads_left: view::downloads_left(&delivery.grant, &delivery.files),
                files: delivery.files.iter().map(view::facts).collect(),
                keys: delivery.keys.clone(),
                text: first.then(|| self.words(seen, delivery)).flatten(),
            });
        }
        self.render(&DeliveryMail {
            occasion,
            order_number: seen.number(),
            buyer_name: self.buyer_name(),
            deliveries,
            waiting: waiting(seen),
            receipt,
            invoice_url: self.document_url(seen, InvoiceKind::Invoice),
            portal_url: self.url("/portal"),
        })
    }

    /// The product's standard text, and how to get support for it.
    fn words(&self, seen: &Seen, delivery: &Delivery) -> Option<ui::texts::Filled> {
        let line = seen.lines.iter().find(|line| line.id == delivery.grant.line)?;
        let product = self.material.products.get(&line.product?)?;
        let values = texts::values(&self.frame, &self.material.deliveries, seen, line);
        texts::joined(&[&product.standard_text, &product.support_text], &values)
    }

    fn buyer_name(&self) -> Option<String> {
        let name = self.material.order.as_ref().map(|seen| seen.order.buyer_name.clone());
        name.filter(|name| !name.trim().is_empty())
    }

    fn document_url(&self, seen: &Seen, kind: InvoiceKind) -> Option<String> {
        let newest = |invoice: &&Invoice| invoice.kind == kind;
        let document = seen.invoices.iter().rfind(newest)?;
        Some(self.url(&format!("/portal/invoices/{}", document.id)))
    }

    fn pending(&self) -> Result<MailBody, String> {
        let seen = self.seen()?;
        self.render(&PaymentPendingMail {
            order_number: seen.number(),
            buyer_name: self.buyer_name(),
            gateway: seen.brand.clone(),
            total: seen.order.due(),
            expected_by: None,
            status_url: self.page_url(),
        })
    }

    fn failed(&self) -> Result<MailBody, String> {
        let seen = self.seen()?;
        self.render(&PaymentFailedMail {
            order_number: seen.number(),
            buyer_name: self.buyer_name(),
            gateway: seen.brand.clone(),
            total: seen.order.due(),
            access_ended: seen.grants.iter().any(|grant| grant.status == GrantStatus::Suspended),
            retry_url: self.page_url(),
        })
    }

    fn refunded(&self) -> Result<MailBody, String> {
        let seen = self.seen()?;
        let amount = Money::new(seen.order.returned_minor, seen.order.currency);
        let credit_note = self.document_url(seen, InvoiceKind::CreditNote);
        self.closed(ClosedBecause::Refund { amount, in_part: false }, credit_note)
    }

    fn closed(&self, because: ClosedBecause, credit_note_url: Option<String>) -> Result<MailBody, String> {
        let seen = self.seen()?;
        self.render(&AccessClosedMail {
            order_number: seen.number(),
            buyer_name: self.buyer_name(),
            because,
            products: seen.lines.iter().map(|line| line.name.clone()).collect(),
            credit_note_url,
        })
    }

    fn other_text(&self) -> Result<MailBody, String> {
        let seen = self.seen()?;
        let wanted = self.message.context.get("product").and_then(serde_json::Value::as_str);
        let wanted = wanted.and_then(|id| id.parse::<ProductId>().ok());
        let product = wanted.and_then(|id| self.material.products.get(&id));
        let product = product.ok_or_else(|| "its product is gone".to_owned())?;
        let line = seen.lines.iter().find(|line| line.product == Some(product.id));
        let line = line.ok_or_else(|| "its product is not in its order".to_owned())?;
        let values = texts::values(&self.frame, &self.material.deliveries, seen, line);
        let text = texts::joined(&[&product.other_text], &values);
        self.render(&ProductNoteMail {
            title: line.name.clone(),
            product: line.name.clone(),
            order_number: seen.number(),
            text: text.ok_or_else(|| "the product's second text was removed".to_owned())?,
        })
    }

    fn archive_password(&self) -> Result<MailBody, String> {
        let seen = self.seen()?;
        if self.material.passwords.is_empty() {
            return Err("there is no archive with a password in its order any more".to_owned());
        }
        let passwords = self.material.passwords.iter().map(|known| ArchivePassword {
            product: known.product.clone(),
            unit: known.unit_no,
            password: known.password.expose().clone(),
        });
        self.render(&ArchivePasswordMail {
            buyer_name: self.buyer_name(),
            order_number: seen.number(),
            passwords: passwords.collect(),
        })
    }

    fn login_url(&self) -> Result<String, String> {
        let url = self.material.login_url.clone();
        url.ok_or_else(|| "its one-time link cannot be opened with this key ring".to_owned())
    }

    fn sign_in(&self) -> Result<MailBody, String> {
        let minutes = u32::try_from(sessions::LINK_LIFE.as_seconds() / 60).unwrap_or(u32::MAX);
        self.render(&SignInMail { url: self.login_url()?, minutes })
    }

    fn invitation(&self) -> Result<MailBody, String> {
        let text = |name: &str| self.message.context.get(name).and_then(serde_json::Value::as_str);
        let hours = self.message.context.get("hours").and_then(serde_json::Value::as_u64);
        self.render(&StaffInvitationMail {
            inviter: text("inviter").unwrap_or(&self.material.merchant.name).to_owned(),
            role: text("role").unwrap_or("read_only").to_owned(),
            url: self.login_url()?,
            hours: hours.and_then(|hours| u32::try_from(hours).ok()).unwrap_or(1),
        })
    }

    fn alarm(&self) -> Result<MailBody, String> {
        let notes = self.message.context.get("alarms").cloned().unwrap_or_default();
        let notes: Vec<Note> = serde_json::from_value(notes).map_err(|error| error.to_string())?;
        let noted = |note: &Note| {
            Some(AlarmNote {
                kind: AlarmKind::parse(&note.kind)?,
                count: note.count,
                since: note.since,
                url: self.url(&note.path),
            })
        };
        self.render(&MerchantAlarmMail {
            alarms: notes.iter().filter_map(noted).collect(),
            url: self.url("/admin"),
        })
    }
}
