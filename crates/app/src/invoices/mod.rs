//! Invoices: the numbered documents of paid orders, and the credit notes that correct them.
//!
//! Numbers have no gaps. They are given by a job of its own, because the last number is one hot
//! row that every order of a merchant would otherwise wait for. The document is a snapshot: it
//! does not change when the merchant moves or a product is renamed.

pub mod api;
pub mod desk_store;
pub mod flow;
pub mod staff_pages;
pub mod store;
pub mod view;

use kernel::{InvoiceId, MerchantId, Money, OrderId, Timestamp};

db::words! {
    /// Which document it is.
    pub enum InvoiceKind {
        /// Of a paid order, or of money that came again.
        Invoice = "invoice",
        /// Of money that went back.
        CreditNote = "credit_note",
    }
}

impl InvoiceKind {
    /// The series that its numbers count in.
    pub const fn series(self) -> &'static str {
        match self {
            Self::Invoice => "INV",
            Self::CreditNote => "CRN",
        }
    }
}

/// A numbered document.
#[derive(Debug, Clone)]
pub struct Invoice {
    /// Its id.
    pub id: InvoiceId,
    /// Whose.
    pub merchant: MerchantId,
    /// Which document.
    pub kind: InvoiceKind,
    /// What it is counted in.
    pub series: String,
    /// From 1, without gaps.
    pub number: i64,
    /// Of which order.
    pub order: OrderId,
    /// What it was issued for: `paid`, or the fact of a refund.
    pub cause: String,
    /// Which document it corrects: a credit note its invoice, an invoice of money that came again
    /// the credit note.
    pub corrects: Option<InvoiceId>,
    /// Without tax.
    pub net: Money,
    /// Tax.
    pub tax: Money,
    /// In all.
    pub gross: Money,
    /// Everything that it shows.
    pub document: Document,
    /// When.
    pub issued_at: Timestamp,
}

impl Invoice {
    /// As it is printed: `INV-000042`.
    pub fn label(&self) -> String {
        format!("{}-{:06}", self.series, self.number)
    }
}

/// What a document shows, as it was on the day of issue.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Document {
    /// Legal name of the seller.
    pub seller_name: String,
    /// Several lines.
    pub seller_address: String,
    /// ISO 3166 alpha-2.
    pub seller_country: Option<String>,
    /// VAT or tax number.
    pub seller_vat_id: Option<String>,
    /// Name of the buyer.
    pub buyer_name: String,
    /// Company of the buyer.
    pub buyer_company: String,
    /// Several lines, where the buyer wrote them.
    #[serde(default)]
    pub buyer_address: String,
    /// Mail address of the buyer.
    pub buyer_email: String,
    /// ISO 3166 alpha-2.
    pub buyer_country: Option<String>,
    /// VAT id.
    pub buyer_vat_id: Option<String>,
    /// IANA name of the zone that its date is told in.
    pub time_zone: String,
    /// When it was paid or sent back.
    pub occurred_at: Timestamp,
    /// What for.
    pub lines: Vec<DocumentLine>,
}

/// A line of a document.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct DocumentLine {
    /// Item number.
    pub sku: String,
    /// Name.
    pub name: String,
    /// How many.
    pub quantity: u32,
    /// For one, without tax.
    pub unit_minor: i64,
    /// Without tax.
    pub net_minor: i64,
    /// Tax.
    pub tax_minor: i64,
    /// In all.
    pub gross_minor: i64,
    /// Millionths.
    pub tax_rate_ppm: u32,
}
