//! What a buyer sees before and while paying: shop, product, cart, handoff, thank-you page.

mod artwork;
mod cart;
mod order;
mod product;

pub use artwork::{ArtworkField, ArtworkForm, ArtworkInput, KeptPicture};
pub use cart::{Ask, BuyerForm, CartLine, CartPage, Consent, GatewayChoice, HandoffPage, HiddenField};
pub use order::{
    FileFacts, KeyShown, LinkState, OrderLine, OrderState, OrderStatePart, Progress, ThankYouPage,
    UnitDelivery,
};
pub use product::{CurrencyChoice, FileSummary, InputField, ProductCard, ProductPage, ShopIndex};

use crate::gallery::{Exhibit, page};
use crate::templates::{Source, embed};

pub(crate) const TEMPLATES: &[Source] = embed![
    "shop/_artwork.html",
    "shop/_parts.html",
    "shop/index.html",
    "shop/product.html",
    "shop/cart.html",
    "shop/handoff.html",
    "shop/thank_you.html",
    "shop/order_state.html",
];

pub(crate) fn exhibits() -> Vec<Exhibit> {
    [
        page::<ShopIndex>(),
        page::<ProductPage>(),
        page::<CartPage>(),
        page::<HandoffPage>(),
        page::<ThankYouPage>(),
        page::<OrderStatePart>(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
