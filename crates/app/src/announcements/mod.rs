//! Announcements: a new version of a file is out, told to those whom their purchase entitles to it.
//!
//! Staff decide for each version whether it is told. A job walks the lines that were sold with the
//! product, some in each transaction, and intends a mail for each customer who is entitled; the
//! next step is queued in the same transaction. Of one version a customer hears once, however many
//! times they bought and however often a step is repeated: the messages' key sees to that. The mail
//! carries the links of the order, which work again for their whole time when it leaves.

pub mod api;
pub mod flow;
pub mod jobs;
pub mod store;

use kernel::{CustomerId, FileVersionId, ProductId};
use serde_json::Value;

/// The key of a message: one per customer and version.
pub fn dedupe_key(customer: CustomerId, version: FileVersionId) -> String {
    format!("new_version:{customer}:{version}")
}

/// What a message needs to know beside its order.
pub fn context(product: ProductId, version: FileVersionId) -> Value {
    serde_json::json!({ "product": product, "version": version })
}

/// The product that a message's context names.
pub fn product(context: &Value) -> Option<ProductId> {
    context.get("product")?.as_str()?.parse().ok()
}
