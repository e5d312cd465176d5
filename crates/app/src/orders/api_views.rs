//! What programs see of an order.

use db::Source;
use kernel::{
    ConnectionId, Currency, CustomerId, EmailAddress, FileVersionId, GrantId, LineId, NoticeId, OrderId,
    PaymentId, ProductId, Timestamp,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Line, LineKind, Order, OrderSource, OrderStatus, store};
use crate::downloads;
use crate::fulfillment::{self, Grant, GrantStatus};
use crate::payments::{self, FactKind, Payment, PaymentStatus};
use crate::problem::Flow;
use crate::products::{FilePolicy, PendingPolicy};
use crate::web::api::view::Amount;

/// A buyer's purchase.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Order)]
pub struct OrderView {
    id: OrderId,
    status: OrderStatus,
    source: OrderSource,
    /// The gateway account it is paid through.
    connection: Option<ConnectionId>,
    /// The account of the buyer; `null` until the first money.
    customer: Option<CustomerId>,
    buyer: BuyerView,
    currency: Currency,
    net: Amount,
    tax: Amount,
    /// What must be paid.
    due: Amount,
    /// What has arrived, over all payments.
    settled: Amount,
    /// What went back and stays there.
    returned: Amount,
    created_at: Timestamp,
    /// When what was due had arrived.
    paid_at: Option<Timestamp>,
    /// Raised by regenerating.
    generation: u32,
    version: i64,
}

/// Who buys, as told at checkout or by the gateway.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Buyer)]
pub struct BuyerView {
    email: Option<EmailAddress>,
    name: String,
    company: String,
    /// ISO 3166 alpha-2.
    country: Option<String>,
    vat_id: Option<String>,
    /// BCP 47.
    locale: String,
}

impl From<Order> for OrderView {
    fn from(order: Order) -> Self {
        let money = |minor| Amount::of(minor, order.currency);
        Self {
            id: order.id,
            status: order.status,
            source: order.source,
            connection: order.connection,
            customer: order.customer,
            currency: order.currency,
            net: money(order.net_minor),
            tax: money(order.tax_minor),
            due: money(order.due_minor),
            settled: money(order.settled_minor),
            returned: money(order.returned_minor),
            created_at: order.created_at,
            paid_at: order.paid_at,
            generation: order.generation,
            version: order.version,
            buyer: BuyerView {
                email: order.buyer_email,
                name: order.buyer_name,
                company: order.buyer_company,
                country: order.buyer_country,
                vat_id: order.buyer_vat_id,
                locale: order.locale,
            },
        }
    }
}

/// An order with what hangs on it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderDetail)]
pub struct OrderDetailView {
    #[serde(flatten)]
    order: OrderView,
    lines: Vec<LineView>,
    payments: Vec<PaymentView>,
    /// What the buyer may have, one per unit.
    grants: Vec<GrantView>,
}

/// One product in an order, times a quantity, with its terms as they were at purchase.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderLine)]
pub struct LineView {
    id: LineId,
    kind: LineKind,
    product: Option<ProductId>,
    sku: String,
    name: String,
    quantity: u32,
    /// For one, without tax.
    unit: Amount,
    net: Amount,
    tax: Amount,
    gross: Amount,
    /// In millionths.
    tax_rate_ppm: u32,
    /// Whose tax.
    jurisdiction: Option<String>,
    /// Option names and choices.
    #[schema(value_type = Object)]
    attributes: serde_json::Value,
    /// What the buyer wrote.
    #[schema(value_type = Object)]
    inputs: serde_json::Value,
    link_life_seconds: i64,
    download_limit: u32,
    file_policy: FilePolicy,
    /// For how many days from the purchase the buyer gets new versions; only with `updates_until`.
    update_days: Option<u32>,
    pending_policy: PendingPolicy,
}

impl LineView {
    fn of(line: Line, currency: Currency) -> Self {
        let money = |minor| Amount::of(minor, currency);
        Self {
            id: line.id,
            kind: line.kind,
            product: line.product,
            quantity: line.quantity,
            unit: money(line.unit_minor),
            net: money(line.net_minor),
            tax: money(line.tax_minor),
            gross: money(line.gross_minor),
            tax_rate_ppm: line.tax_rate_ppm,
            jurisdiction: line.jurisdiction,
            attributes: line.attributes,
            inputs: line.inputs,
            link_life_seconds: line.link_life.as_seconds(),
            download_limit: line.download_limit,
            file_policy: line.file_policy,
            update_days: line.update_days,
            pending_policy: line.pending_policy,
            sku: line.sku,
            name: line.name,
        }
    }
}

/// An attempt to move money through a gateway.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Payment)]
pub struct PaymentView {
    id: PaymentId,
    connection: ConnectionId,
    /// The gateway's id of it.
    gateway_ref: String,
    status: PaymentStatus,
    settled: Amount,
    returned: Amount,
    /// What the gateway kept, where it told.
    fee: Option<Amount>,
    created_at: Timestamp,
    /// What the gateway has said of it.
    facts: Vec<FactView>,
}

/// A statement of a gateway about a payment.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Fact)]
pub struct FactView {
    kind: FactKind,
    amount: Amount,
    /// Where it was said.
    notice: NoticeId,
    occurred_at: Timestamp,
}

fn payment_view(source: &mut impl Source, payment: Payment) -> Flow<PaymentView> {
    let money = |minor| Amount::of(minor, payment.currency);
    let facts = payments::store::facts(source, payment.merchant, payment.id)?;
    Ok(PaymentView {
        id: payment.id,
        connection: payment.connection,
        status: payment.status,
        settled: money(payment.settled_minor),
        returned: money(payment.returned_minor),
        fee: payment.fee_minor.map(money),
        created_at: payment.created_at,
        gateway_ref: payment.gateway_ref,
        facts: facts
            .into_iter()
            .map(|fact| FactView {
                kind: fact.kind,
                amount: Amount::of(fact.amount_minor, fact.currency),
                notice: fact.notice,
                occurred_at: fact.occurred_at,
            })
            .collect(),
    })
}

/// The right to have what one unit delivers. Its keyed URL is shown only by the order's links.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Grant)]
pub struct GrantView {
    id: GrantId,
    line: LineId,
    /// Which unit of the line.
    unit: u32,
    status: GrantStatus,
    /// Until when its link works.
    link_expires_at: Timestamp,
    /// Raised by reissuing: older links are dead.
    link_generation: u32,
    /// How often each file may be fetched.
    download_limit: u32,
    files: Vec<GrantedFileView>,
}

/// A file that a grant gives.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GrantedFile)]
pub struct GrantedFileView {
    version: FileVersionId,
    name: String,
    /// In bytes.
    size: u64,
    sha256: String,
    md5: String,
    /// Fetches that are used up or under way.
    taken: u32,
}

fn grant_view(source: &mut impl Source, grant: &Grant) -> Flow<GrantView> {
    let files = downloads::store::files(source, grant)?;
    Ok(GrantView {
        id: grant.id,
        line: grant.line,
        unit: grant.unit_no,
        status: grant.status,
        link_expires_at: grant.expires_at,
        link_generation: grant.generation,
        download_limit: grant.download_limit,
        files: files
            .into_iter()
            .map(|file| GrantedFileView {
                version: file.version,
                name: file.name,
                size: file.size,
                sha256: file.sha256,
                md5: file.md5,
                taken: file.taken,
            })
            .collect(),
    })
}

/// Reads what hangs on an order.
pub fn detail(source: &mut impl Source, order: Order) -> Flow<OrderDetailView> {
    let (merchant, id, currency) = (order.merchant, order.id, order.currency);
    let lines = store::lines(source, merchant, id)?;
    let mut payments = Vec::new();
    for payment in payments::store::of_order(source, merchant, id)? {
        payments.push(payment_view(source, payment)?);
    }
    let mut grants = Vec::new();
    for grant in fulfillment::store::of_order(source, merchant, id)? {
        grants.push(grant_view(source, &grant)?);
    }
    Ok(OrderDetailView {
        order: order.into(),
        lines: lines.into_iter().map(|line| LineView::of(line, currency)).collect(),
        payments,
        grants,
    })
}

/// A keyed URL to what a grant gives. Whoever has it can download.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Link)]
pub struct LinkView {
    /// What it leads to.
    pub grant: GrantId,
    /// The line's name.
    pub name: String,
    /// The address. Do not log it.
    pub url: String,
    /// Until when it works.
    pub expires_at: Timestamp,
}
