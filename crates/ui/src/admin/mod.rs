//! The back office: contexts of its pages. Their templates are under `templates/admin`.
//!
//! Every page but those for signing in wants `frame.staff`: its name, role, rights (words of
//! [`Right`]) and what waits for a person (`notices`, `reviews`, `messages`), by which the
//! navigation counts. Paths are told without the merchant's base path, and templates add it.
//!
//! Lists are made with [`Listing`], charts with [`SalesChart`], and whatever cannot be undone goes
//! through a [`ConfirmPage`]: GET shows what will happen, POST on the same path does it.

mod access;
mod chart;
mod confirm;
mod connections;
mod customers;
mod events;
mod home;
mod invoices;
mod list;
mod messages;
mod notices;
mod orders;
mod people;
mod products;
mod reviews;
mod sample;
mod settings;
mod timeline;
mod words;

pub use access::{
    AccountPage, Errors, OwnerLinkOverPage, OwnerLinkPage, SessionRow, SessionsPage, SetPasswordPage,
    SignInCodePage, SignInPage, TotpSetupPage,
};
pub use chart::{Bar, DaySales, SalesChart};
pub use confirm::{Act, ConfirmPage, DeniedPage, StaffProblemPage};
pub use connections::{ConnectionFailure, ConnectionPage, ConnectionRow, ConnectionsPage, NewConnectionPage};
pub use customers::{CustomerPage, CustomerRow, CustomersPage};
pub use events::{EventRow, EventsPage, JobRow, JobsPage};
pub use home::{Alarm, AlarmExample, HomePage, Setup};
pub use invoices::{
    DocumentLine, DocumentTax, InvoiceDocument, InvoicePage, InvoiceRow, InvoicesPage, Party,
};
pub use list::{Choice, Direction, Filter, FilterInput, Label, Listing, ListingBuilder, Sort};
pub use messages::{MessagePage, MessageRow, MessagesPage};
pub use notices::{Attempt, NoticePage, NoticeRow, NoticesPage, RawRequest};
pub use orders::{
    Buyer, ConnectionRef, InvoiceRef, LineRow, LinkFileRow, LinkRow, OrderActions, OrderPage, OrderRow,
    OrderSums, OrdersPage, PaymentRow, ReviewRef, Terms, UnitRow,
};
pub use people::{
    ApiKeyCreatedPage, ApiKeyRow, ApiKeysPage, InvitationForm, InvitedPage, NewApiKeyPage, ScopeChoice,
    StaffPage, StaffRow,
};
pub use products::{
    ButtonCode, FileReplacePage, FileRow, FileVersionRow, Placeholder, PriceField, PriceRow, ProductForm,
    ProductFormPage, ProductPage, ProductRow, ProductSales, ProductsPage,
};
pub use reviews::{Resolved, ReviewLine, ReviewPage, ReviewRow, ReviewsPage};
pub use settings::{SettingsForm, SettingsPage, WordField};
pub use timeline::{Actor, DownloadEntry, Entry, FactEntry, Happening, MessageEntry, NoticeEntry};
pub use words::{
    AlarmKind, DownloadState, FactKind, FilePolicy, GrantChange, Health, InvoiceKind, LinkPurpose, LinkState,
    MessageKind, MessageState, Mode, NoticeState, OrderSource, OrderStatus, PaymentStatus, PendingPolicy,
    ProductStatus, ReviewKind, ReviewState, Right, Role, SignInProblem, StaffState, Word,
};

use crate::templates::{Source, embed};

/// The templates of the back office.
pub(crate) const TEMPLATES: &[Source] = embed![];

/// The samples of the back office's pages.
pub(crate) fn exhibits() -> Vec<crate::gallery::Exhibit> {
    Vec::new()
}
