//! Customers: the accounts of buyers, made when the first money of an address arrives.

pub mod api;
pub mod countries;
pub mod desk_flow;
pub mod desk_store;
pub mod flow;
pub mod pages;
pub mod staff_list;
pub mod staff_pages;
pub mod staff_view;
pub mod store;

use kernel::{CustomerId, EmailAddress, MerchantId, Timestamp};

/// A buyer of one merchant.
#[derive(Debug, Clone)]
pub struct Customer {
    /// Its id.
    pub id: CustomerId,
    /// Whose customer.
    pub merchant: MerchantId,
    /// Where mail goes; unique per merchant.
    pub email: EmailAddress,
    /// As the gateway or the buyer told it.
    pub name: String,
    /// Company, where given.
    pub company: String,
    /// For invoices, several lines; empty until the customer writes it.
    pub address: String,
    /// ISO 3166 alpha-2.
    pub country: Option<String>,
    /// VAT id, where given.
    pub vat_id: Option<String>,
    /// BCP 47: the language of pages and mails.
    pub locale: String,
    /// When the first money came.
    pub created_at: Timestamp,
}
