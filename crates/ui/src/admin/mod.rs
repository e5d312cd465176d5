//! The back office: contexts of its pages. Their templates are under `templates/admin`.
//!
//! Every page but those for signing in wants `frame.staff`: its name, role (a word of [`Role`]),
//! rights (words of [`Right`]) and what waits for a person (`notices`, `reviews`, `messages`), by
//! which the navigation counts. Paths are told without the merchant's base path; templates add it.
//! Ids in paths are written as the ids write themselves: `/admin/orders/ord_…`.
//!
//! Lists are made with [`Listing`], charts with [`SalesChart`]. Whatever cannot be undone goes
//! through a [`ConfirmPage`]: GET shows what will happen, POST to its `action` does it. Each form
//! posts `_csrf`; which fields and where to is told by each page's struct.
//!
//! The paths that templates name themselves, so that handlers must answer them. `GET`:
//!
//! | below `/admin` | page |
//! |---|---|
//! | (itself) | [`HomePage`] |
//! | `/sign-in`, `/sign-in/code`, `/password`, `/welcome/{token}` | [`SignInPage`], [`SignInCodePage`], [`SetPasswordPage`], [`OwnerLinkPage`] |
//! | `/account`, `/account/totp`, `/account/totp/off`, `/sessions` | [`AccountPage`], [`TotpSetupPage`], [`ConfirmPage`], [`SessionsPage`] |
//! | `/orders`, `/orders/{id}` | [`OrdersPage`], [`OrderPage`] |
//! | `/orders/{id}/{resend,receipt,extend,reissue,regenerate}`, `/orders/{id}/lines/{line}/{revoke,reinstate}` | [`ConfirmPage`] |
//! | `/products`, `/products/new`, `/products/{id}`, `/products/{id}/edit` | [`ProductsPage`], [`ProductFormPage`], [`ProductPage`] |
//! | `/products/{id}/archive`, `/products/{id}/files/{file}/remove` | [`ConfirmPage`] |
//! | `/products/{id}/files/{file}/replace` | [`FileReplacePage`] |
//! | `/products/{id}/stamping`, `/stamps` | [`StampingPage`], [`StampLookupPage`] |
//! | `/products/{id}/payload` | [`PayloadPage`] |
//! | `/products/{id}/{access,stream,ticket,encryption}` | [`AccessPage`], [`StreamSettingsPage`], [`TicketSettingsPage`], [`EncryptionSettingsPage`] |
//! | `/plugins`, `/drop-ship` | [`PluginsPage`], [`DropShipPage`] |
//! | `/products/{id}/payload`, `/products/{id}/packing` | [`PayloadPage`], [`ArchivePage`] |
//! | `/products/{id}/pick-up` | [`PickUpPage`] |
//! | `/products/{id}/artwork` | [`ArtworkPage`] |
//! | `/customers`, `/customers/{id}`, `/customers/{id}/edit` | [`CustomersPage`], [`CustomerPage`], [`CustomerEditPage`] |
//! | `/customers/{id}/{sign-out,sign-in-link}` | [`ConfirmPage`] |
//! | `/invoices`, `/invoices/{id}` | [`InvoicesPage`], [`InvoicePage`] |
//! | `/messages`, `/messages/{id}`, `/messages/{id}/resend` | [`MessagesPage`], [`MessagePage`], [`ConfirmPage`] |
//! | `/notices`, `/notices/{id}`, `/notices/{id}/{accept,refuse,replay}` | [`NoticesPage`], [`NoticePage`], [`ConfirmPage`] |
//! | `/reviews`, `/reviews/{id}` | [`ReviewsPage`], [`ReviewPage`] |
//! | `/connections`, `/connections/new`, `/connections/{id}`, `/connections/{id}/{disable,enable}` | [`ConnectionsPage`], [`NewConnectionPage`], [`ConnectionPage`], [`ConfirmPage`] |
//! | `/api-keys`, `/api-keys/new`, `/api-keys/{id}/revoke` | [`ApiKeysPage`], [`NewApiKeyPage`], [`ConfirmPage`] |
//! | `/staff`, `/staff/{id}/disable` | [`StaffPage`], [`ConfirmPage`] |
//! | `/tickets`, `/tickets/new`, `/tickets/{id}`, `/tickets/{id}/edit`, `/tickets/{id}/check-in` | [`TicketEventsPage`], [`TicketEventFormPage`], [`TicketEventPage`], [`CheckInPage`] |
//! | `/events`, `/jobs`, `/jobs/{id}/drop`, `/settings` | [`EventsPage`], [`JobsPage`], [`ConfirmPage`], [`SettingsPage`] |
//! | `/stores` | [`StoresPage`] |
//!
//! `POST` without a page of its own: `/admin/sign-out`, `/admin/sessions/revoke`,
//! `/admin/sessions/revoke-others`, `/admin/staff/{id}/{role,enable,invite}`,
//! `/admin/products/{id}/activate`, `/admin/products/{id}/files`,
//! `/admin/products/{id}/prices/{price}/withdraw`, `/admin/jobs/{id}/retry`,
//! `/admin/settings/logo`, `/admin/settings/logo/remove`, `/admin/products/{id}/stamping/sample`,
//! `/admin/stamps`, `/admin/stamps/code`, `/admin/stores/delivery`.
//!
//! After a form: 303 to a page, or, when something is wrong, 422 with the same page, what was typed
//! and `errors` by field name. Uploads with script are the same requests, one file each, that ask
//! for `application/problem+json`: a status of 400 and more shows the problem's `detail`.

mod access;
mod artwork;
mod chart;
mod confirm;
mod connections;
mod customers;
mod deliveries;
mod events;
mod filters;
mod home;
mod invoices;
mod list;
mod messages;
mod notices;
mod orders;
mod payload;
mod people;
mod pick_up;
mod plugins;
mod products;
mod reviews;
mod sample;
mod settings;
mod stamps;
mod stores;
mod tickets;
mod timeline;
mod words;

pub use access::{
    AccountPage, Errors, OwnerLinkOverPage, OwnerLinkPage, SessionRow, SessionsPage, SetPasswordPage,
    SignInCodePage, SignInPage, TotpSetupPage,
};
pub use artwork::{ArtworkFieldForm, ArtworkForm, ArtworkPage, ArtworkTemplate};
pub use chart::{Bar, DaySales, SalesChart};
pub use confirm::{Act, ConfirmPage, DeniedPage, StaffProblemPage};
pub use connections::{ConnectionFailure, ConnectionPage, ConnectionRow, ConnectionsPage, NewConnectionPage};
pub use customers::{CustomerEditPage, CustomerForm, CustomerLink, CustomerPage, CustomerRow, CustomersPage};
pub use deliveries::{
    AccessEntryRow, AccessForm, AccessPage, AccessReport, EncryptionSettingsPage, StreamForm,
    StreamSettingsPage, TicketSettingsPage,
};
pub use events::{EventRow, EventsPage, JobRow, JobsPage};
pub use home::{Alarm, AlarmExample, HomePage, Setup};
pub use invoices::{InvoicePage, InvoiceRow, InvoicesPage};
pub use list::{Choice, Direction, Filter, FilterInput, Label, Listing, ListingBuilder, Sort, Tab, Tabs};
pub use messages::{MessagePage, MessageRow, MessagesPage};
pub use notices::{Attempt, NoticePage, NoticeRow, NoticesPage, RawRequest};
pub use orders::{
    Buyer, ConnectionRef, InvoiceRef, LineRow, LinkFileRow, LinkRow, OrderActions, OrderPage, OrderRow,
    OrderSums, OrdersPage, PartRow, PaymentRow, ReviewRef, Terms, UnitRow,
};
pub use payload::{ArchivePage, PayloadFile, PayloadForm, PayloadItem, PayloadPage, PayloadPreview};
pub use people::{
    ApiKeyCreatedPage, ApiKeyRow, ApiKeysPage, InvitationForm, InvitedPage, NewApiKeyPage, ScopeChoice,
    StaffPage, StaffRow,
};
pub use pick_up::{PickUpFile, PickUpPage, PickUpRow};
pub use plugins::{DropShipPage, PluginRow, PluginsPage, ShipmentRow, ShownSecret};
pub use products::{
    ButtonCode, DeliveryRow, FileReplacePage, FileRow, FileVersionRow, PlaceholderHint, PriceField, PriceRow,
    ProductForm, ProductFormPage, ProductPage, ProductRow, ProductSales, ProductsPage,
};
pub use reviews::{Resolved, ReviewLine, ReviewPage, ReviewRow, ReviewsPage};
pub use settings::{SettingsForm, SettingsPage, WordField};
pub use stamps::{CopyOf, FoundCopy, StampLookup, StampLookupPage, StampingFile, StampingForm, StampingPage};
pub use stores::{LackingRow, StoreRow, StoresPage};
pub use tickets::{
    AttendeeRow, CheckInOutcome, CheckInPage, OverRow, TicketEventForm, TicketEventFormPage, TicketEventPage,
    TicketEventRow, TicketEventsPage, TicketProduct,
};
pub use timeline::{Actor, DownloadEntry, Entry, FactEntry, Happening, MessageEntry, NoticeEntry};
pub use words::{
    AccessEntryState, AlarmKind, Defect, DeliveryWay, DownloadState, FactKind, FilePolicy, GrantChange,
    Health, InvoiceKind, LinkPurpose, LinkState, MessageKind, MessageState, Mode, NoticeState, OrderSource,
    OrderStatus, Part, PartState, PaymentStatus, PendingPolicy, ProductStatus, ReviewKind, ReviewState,
    Right, Role, SignInProblem, StaffState, StoreStanding, TicketStanding, Word,
};

pub(crate) use filters::register;

use crate::Template;
use crate::gallery::{Exhibit, page, surrounded};
use crate::templates::{Source, embed};

/// The templates of the back office.
pub(crate) const TEMPLATES: &[Source] = embed![
    "admin/_door.html",
    "admin/_layout.html",
    "admin/_order.html",
    "admin/_parts.html",
    "admin/account.html",
    "admin/archive.html",
    "admin/api_key_created.html",
    "admin/api_key_new.html",
    "admin/api_keys.html",
    "admin/confirm.html",
    "admin/connection.html",
    "admin/connection_new.html",
    "admin/check_in.html",
    "admin/connections.html",
    "admin/customer.html",
    "admin/customer_edit.html",
    "admin/customers.html",
    "admin/denied.html",
    "admin/events.html",
    "admin/file_replace.html",
    "admin/home.html",
    "admin/invited.html",
    "admin/invoice.html",
    "admin/invoices.html",
    "admin/jobs.html",
    "admin/stores.html",
    "admin/message.html",
    "admin/messages.html",
    "admin/notice.html",
    "admin/notices.html",
    "admin/order.html",
    "admin/orders.html",
    "admin/owner_link.html",
    "admin/owner_link_over.html",
    "admin/problem.html",
    "admin/product.html",
    "admin/payload.html",
    "admin/product_access.html",
    "admin/product_encryption.html",
    "admin/artwork.html",
    "admin/plugins.html",
    "admin/drop_ship.html",
    "admin/pick_up.html",
    "admin/product_form.html",
    "admin/product_stream.html",
    "admin/product_ticket.html",
    "admin/products.html",
    "admin/review.html",
    "admin/reviews.html",
    "admin/sessions.html",
    "admin/set_password.html",
    "admin/settings.html",
    "admin/sign_in.html",
    "admin/sign_in_code.html",
    "admin/staff.html",
    "admin/stamp_lookup.html",
    "admin/stamping.html",
    "admin/ticket_event.html",
    "admin/ticket_event_form.html",
    "admin/ticket_events.html",
    "admin/totp_setup.html",
];

/// The samples of the back office's pages.
pub(crate) fn exhibits() -> Vec<Exhibit> {
    [
        page::<SignInPage>(),
        page::<SignInCodePage>(),
        page::<OwnerLinkPage>(),
        page::<OwnerLinkOverPage>(),
        page::<SetPasswordPage>(),
        office::<TotpSetupPage>("/admin/account/totp"),
        office::<AccountPage>("/admin/account"),
        office::<SessionsPage>("/admin/sessions"),
        office::<StaffPage>("/admin/staff"),
        office::<InvitedPage>("/admin/staff"),
        office::<ApiKeysPage>("/admin/api-keys"),
        office::<NewApiKeyPage>("/admin/api-keys/new"),
        office::<ApiKeyCreatedPage>("/admin/api-keys"),
        office::<HomePage>("/admin"),
        office::<ProductsPage>("/admin/products"),
        office::<ProductPage>("/admin/products/prd_1"),
        office::<ProductFormPage>("/admin/products/new"),
        office::<FileReplacePage>("/admin/products/prd_1"),
        office::<StampingPage>("/admin/products/prd_1"),
        office::<StampLookupPage>("/admin/stamps"),
        office::<PluginsPage>("/admin/plugins"),
        office::<DropShipPage>("/admin/drop-ship"),
        office::<ArchivePage>("/admin/products/prd_1/packing"),
        office::<PayloadPage>("/admin/products/prd_1/payload"),
        office::<PickUpPage>("/admin/products/prd_1/pick-up"),
        office::<ArtworkPage>("/admin/products/prd_1/artwork"),
        office::<CustomersPage>("/admin/customers"),
        office::<CustomerPage>("/admin/customers/cus_1"),
        office::<CustomerEditPage>("/admin/customers/cus_1/edit"),
        office::<InvoicesPage>("/admin/invoices"),
        office::<InvoicePage>("/admin/invoices/inv_1"),
        office::<OrdersPage>("/admin/orders"),
        office::<OrderPage>("/admin/orders/ord_1"),
        office::<MessagesPage>("/admin/messages"),
        office::<MessagePage>("/admin/messages/msg_1"),
        office::<NoticesPage>("/admin/notices"),
        office::<NoticePage>("/admin/notices/ntc_1"),
        office::<ConnectionsPage>("/admin/connections"),
        office::<NewConnectionPage>("/admin/connections/new"),
        office::<ConnectionPage>("/admin/connections/con_1"),
        office::<ReviewsPage>("/admin/reviews"),
        office::<ReviewPage>("/admin/reviews/rev_1"),
        office::<AccessPage>("/admin/products/prd_1"),
        office::<StreamSettingsPage>("/admin/products/prd_1"),
        office::<TicketSettingsPage>("/admin/products/prd_1"),
        office::<EncryptionSettingsPage>("/admin/products/prd_1"),
        office::<TicketEventsPage>("/admin/tickets"),
        office::<TicketEventFormPage>("/admin/tickets/new"),
        office::<TicketEventPage>("/admin/tickets/tev_1"),
        office::<CheckInPage>("/admin/tickets/tev_1/check-in"),
        office::<EventsPage>("/admin/events"),
        office::<JobsPage>("/admin/jobs"),
        office::<StoresPage>("/admin/stores"),
        office::<SettingsPage>("/admin/settings"),
        office::<ConfirmPage>("/admin/orders/ord_1/act"),
        office::<StaffProblemPage>("/admin/orders"),
        office::<DeniedPage>("/admin/settings"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The samples of a page that is seen by who is signed in.
fn office<T: Template + 'static>(path: &'static str) -> Vec<Exhibit> {
    surrounded::<T>(move |frame| sample::signed_in(frame, path))
}
