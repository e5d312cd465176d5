//! Every page and every mail: a typed context, its template, its texts and its assets.
//!
//! A handler fills a struct such as [`shop::ProductPage`] and hands it, with a [`Frame`] (who
//! asks, in which language, at which merchant), to the [`Renderer`]. Nothing here touches a
//! database, the network or the clock. Templates (`/templates`), texts (`/locales`) and assets
//! (`/assets`) are compiled in. An undefined name in a template is an error, and one test renders
//! each template with each of its samples in each language.
//!
//! Sellers do not write templates: what they may edit are texts with listed placeholders
//! ([`texts`]), the page words (package, account, …), a logo and one [`Accent`] color.
//!
//! The paths that templates name themselves, so that handlers must answer them (all others come
//! with the contexts): `GET` `/`, `/cart`, `/portal`, `/portal/sign-in`, `/portal/profile`,
//! `/portal/sessions`, `/links/request`, `/assets/{name}`, `/assets/accent.css`; `POST`
//! `/cart/lines`, `/cart/lines/update`, `/cart/lines/remove`, `/buy`, `/checkout`,
//! `/portal/sign-in`, `/portal/sign-out`, `/portal/profile`, `/portal/sessions/end`,
//! `/links/request`. Every form posts the field `_csrf`.
//!
//! Templates write addresses with `url("/cart")`, which puts the merchant's base path before
//! them, and assets with `asset("app.css")`, which adds the content hash. No template has an
//! inline script or style: the pages are made for `script-src 'self'; style-src 'self'`.

#![allow(clippy::inconsistent_digit_grouping, reason = "sample amounts set the cents apart: 49_00")]

mod accent;
pub mod admin;
mod assets;
pub mod delivery;
mod engine;
mod escape;
mod filters;
mod frame;
pub mod gallery;
mod i18n;
mod icons;
pub mod invoice;
mod locale;
pub mod mailbox;
pub mod mails;
pub mod portal;
pub mod problem;
pub mod samples;
pub mod shop;
pub mod stream;
mod templates;
pub mod texts;
pub mod ticket;

pub use accent::{Accent, AccentError, accent_css};
pub use assets::{Asset, asset, asset_url, assets};
pub use engine::{Mail, MailBody, RenderError, Renderer, Template};
pub use frame::{
    CustomerFrame, Flash, Frame, FrameError, LocaleChoice, MerchantFrame, NamedLink, StaffFrame, Tone,
};
pub use i18n::CatalogError;
pub use locale::Locale;
