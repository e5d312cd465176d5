//! A shop to measure: the product wired as it ships, with a mail server that takes everything.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use app::app::{App, Parts, Settings};
use app::carts::CartItem;
use app::connections::{self, Connection};
use app::cx::Actor;
use app::downloads::flow::{Client, start};
use app::downloads::pages::transfer_path;
use app::downloads::transfer_token;
use app::merchants::{self, Merchant, flow::NewMerchant};
use app::orders::flow::Wanted;
use app::orders::{self, Order};
use app::products::{self, Product, flow::NewProduct, flow::StoredFile};
use app::ring::Ring;
use db::{Db, Options};
use gateways::{Mode, paypal_standard};
use kernel::{
    Currency, EmailAddress, Entropy as _, FileVersionId, MerchantId, Money, Secret, SystemClock,
    SystemEntropy,
};
use mail::{Accepted, BoxFuture, Mailer, Outgoing, SendError};
use net::outbound::{self, OutboundPolicy, Roots};
use net::serve::{Limits, Server, StopHandle, TrustedProxies, stop};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::orders::{Verify, deliver, notice};
use crate::report::Failure;

/// What the product's price is.
pub const PRICE: Money = Money::new(49_00, Currency::USD);
/// Who receives the money.
pub const RECEIVER: &str = "seller@example.com";

/// Downloads that one link allows: more than any run starts.
const DOWNLOADS_MAX: u32 = 1_000_000;
/// Connections from one address.
const CONNECTIONS_MAX: usize = 4_000;

/// Every order has a buyer of its own.
static BUYERS: AtomicU64 = AtomicU64::new(0);

/// A shop with one product and one connection.
pub struct Shop {
    /// The product.
    pub app: App,
    /// Whose.
    pub merchant: Merchant,
    /// What it sells.
    pub product: Product,
    /// How it is paid.
    pub connection: Connection,
}

/// Opens a shop in this folder, with the database of the caller's choice.
pub fn open(folder: &Path, options: &Options, postback: &str, file: &[u8]) -> Result<Shop, Failure> {
    let db = Db::open(options)?;
    let entropy = Arc::new(SystemEntropy);
    let mut key = [0u8; 32];
    entropy.fill(&mut key);
    let port = postback.rsplit(':').next().unwrap_or("1").trim_end_matches('/');
    let allow = vec![format!("127.0.0.1/32:{port}").parse()?];
    let blobs = Arc::new(stores::DirectoryStore::open(&folder.join("blobs"), entropy.clone())?);
    let clock = Arc::new(SystemClock::default());
    let home = stores::Mirrors::only("home", "blobs", blobs.clone(), clock.clone());
    let app = App::new(Parts {
        db,
        clock,
        entropy,
        ring: Arc::new(Ring::new(BTreeMap::from([(1, Secret::new(key))]))?),
        blobs: Arc::new(home),
        mailer: Arc::new(TakesAll),
        outbound: outbound::Client::new(OutboundPolicy { allow }, &Roots::default())?,
        renderer: Arc::new(ui::Renderer::new()?),
        settings: Settings::at("http://127.0.0.1"),
    });
    let digests = stores::put(&*blobs, file)?;
    let stored = StoredFile {
        name: "file.bin".to_owned(),
        sha256: digests.sha256.to_string(),
        size: digests.size,
        crc32: digests.crc32,
        md5: digests.md5_hex(),
    };
    let postback = postback.to_owned();
    let (merchant, product, connection) =
        app.write_blocking(MerchantId::from_bits(0), Actor::System, move |cx| {
            furnish(cx, &stored, &postback)
        })?;
    Ok(Shop { app, merchant, product, connection })
}

fn furnish(
    cx: &mut app::cx::Cx<'_, '_>,
    stored: &StoredFile,
    postback: &str,
) -> app::problem::Flow<(Merchant, Product, Connection)> {
    let email = EmailAddress::parse(RECEIVER).expect("this is an address");
    let new = NewMerchant { slug: "shop".into(), name: "Shop".into(), email, currency: Currency::USD };
    let merchant = merchants::flow::create(cx, &new)?;
    cx.merchant = merchant.id;
    let new = NewProduct {
        sku: "SKU-1".into(),
        name: "Product".into(),
        description: String::new(),
        prices: vec![PRICE],
    };
    let mut product = products::flow::create(cx, &new)?;
    product.download_limit = DOWNLOADS_MAX;
    products::store::save(cx.tx, &product, cx.now)?;
    products::flow::add_file(cx, &product, stored)?;
    let settings = [(paypal_standard::RECEIVER, RECEIVER), (paypal_standard::ENDPOINT, postback)];
    let new = connections::flow::NewConnection {
        gateway: "paypal-standard".into(),
        mode: Mode::Test,
        name: String::new(),
        settings: settings.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        secrets: BTreeMap::new(),
    };
    let connection = connections::flow::add(cx, &new)?;
    Ok((merchant, product, connection))
}

/// Bytes that do not repeat within a page of memory.
pub fn content(size: usize) -> Vec<u8> {
    let pattern: Vec<u8> = (0u8..251).collect();
    pattern.iter().copied().cycle().take(size).collect()
}

/// A link's token, and the file behind it.
pub type Link = (String, FileVersionId);

impl Shop {
    /// Serves the shop on loopback until the handle is dropped or told to stop.
    pub fn serve(&self, runtime: &Runtime) -> Result<(u16, StopHandle), Failure> {
        let (handle, stopped) = stop();
        let app = self.app.clone();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let port = listener.local_addr()?.port();
        // All clients of a benchmark come from one address.
        let limits = Limits { connections_per_address_max: CONNECTIONS_MAX, ..Limits::default() };
        runtime.spawn(app::downloads::jobs::watch(app.clone()));
        runtime.spawn(async move {
            let server = Server::new(limits, TrustedProxies::default());
            server.serve(listener, None, app::web::program(app), stopped).await
        });
        Ok((port, handle))
    }

    /// The link of a paid order.
    pub fn paid_link(&self, runtime: &Runtime) -> Result<Link, Failure> {
        let order = self.place(1)?.pop().ok_or("no order was placed")?;
        let post = notice(self, &order, 0);
        runtime.block_on(deliver(self, vec![post], Verify::AtTheSeam))?;
        let (merchant, id, ring) = (self.merchant.id, order.id, self.app.ring_arc());
        let link = self.app.read_now(move |snapshot| {
            let grants = app::fulfillment::store::of_order(snapshot, merchant, id)?;
            let Some(grant) = grants.first() else { return Ok(None) };
            let file = app::downloads::store::files(snapshot, grant)?.first().map(|file| file.version);
            Ok(app::links::grant_token(&ring, grant).zip(file))
        })?;
        link.ok_or_else(|| "the order has no link".into())
    }

    /// Opens so many sessions on a link. Answers the paths that their file is fetched by.
    pub fn open_sessions(&self, (token, file): &Link, count: usize) -> Result<Vec<String>, Failure> {
        let (token, file) = (token.clone(), *file);
        let started = self.app.write_blocking(self.merchant.id, Actor::Visitor, move |cx| {
            let client = Client { address: "127.0.0.1".to_owned(), user_agent: "bench".to_owned() };
            (0..count).map(|_| start(cx, &token, file, &client)).collect::<Result<Vec<_>, _>>()
        })?;
        let path = |download| {
            let token = transfer_token(self.app.ring(), download).ok_or("no token")?;
            Ok(transfer_path(&token, "file.bin"))
        };
        started.iter().map(path).collect()
    }

    /// Places an order that waits for its money.
    pub fn place(&self, count: usize) -> Result<Vec<Order>, Failure> {
        let (merchant, product, connection) = (self.merchant.clone(), self.product.id, self.connection.id);
        let placed = self.app.write_blocking(self.merchant.id, Actor::Visitor, move |cx| {
            let place = |cx: &mut app::cx::Cx<'_, '_>| {
                let number = BUYERS.fetch_add(1, Ordering::Relaxed);
                let wanted = Wanted {
                    items: vec![CartItem { product, choice: None, quantity: 1 }],
                    currency: Currency::USD,
                    connection,
                    email: EmailAddress::parse(&format!("buyer{number}@example.com")).ok(),
                    name: "Ada Buyer".to_owned(),
                    country: Some("US".to_owned()),
                    consented: true,
                };
                orders::flow::place(cx, &merchant, &wanted)
            };
            (0..count).map(|_| place(cx)).collect::<Result<Vec<_>, _>>()
        });
        Ok(placed?)
    }
}

/// A mail server without a network.
struct TakesAll;

impl Mailer for TakesAll {
    fn send<'a>(&'a self, _: &'a Outgoing) -> BoxFuture<'a, Result<Accepted, SendError>> {
        Box::pin(async { Ok(Accepted { reply: "taken".to_owned() }) })
    }
}
