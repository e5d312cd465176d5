//! What a product delivers, as its page lists it.

use ui::admin::DeliveryRow;

use super::Deliverables;

/// Every way to deliver beside files, with whether the product has it. The word is also the last
/// part of the path where it is changed.
pub fn rows(deliverables: &Deliverables) -> Vec<DeliveryRow> {
    let row = |kind: &str, on| DeliveryRow { kind: kind.to_owned(), on };
    vec![
        row("packing", deliverables.archive.is_some()),
        row("payload", deliverables.payload.is_some()),
        row("artwork", deliverables.artwork.is_some()),
        row("stamping", deliverables.stamp.is_some()),
        row("access", deliverables.access.is_some()),
        row("stream", deliverables.stream.is_some()),
        row("ticket", deliverables.ticket.is_some()),
        row("encryption", deliverables.encryption.is_some()),
    ]
}
