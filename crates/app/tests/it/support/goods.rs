//! Merchants, products and orders, made as the back office and the checkout would make them.

use std::collections::BTreeMap;

use app::app::App;
use app::carts::CartItem;
use app::connections::{self, Connection};
use app::cx::Actor;
use app::deliverables::Deliverables;
use app::merchants::{self, Merchant};
use app::orders::flow::Wanted;
use app::orders::{self, Order};
use app::products::{self, FilePolicy, PendingPolicy, Product};
use gateways::Mode;
use gateways::paypal_standard::{ENDPOINT, RECEIVER};
use kernel::{ConnectionId, Currency, EmailAddress, MerchantId, Money, Span, Timestamp};

use super::TestApp;

/// A merchant with its PayPal account.
#[derive(Debug, Clone)]
pub struct Shop {
    pub merchant: Merchant,
    pub connection: Connection,
    pub receiver: String,
}

/// So many cents of a euro.
pub const fn eur(minor: i64) -> Money {
    Money::new(minor, Currency::EUR)
}

/// So many cents of a dollar.
pub const fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

pub fn email(text: &str) -> EmailAddress {
    EmailAddress::parse(text).expect("an address")
}

/// A product to be made: 49.00 EUR, one file of 1,000 bytes, unless told otherwise.
#[derive(Debug, Clone)]
pub struct NewGood {
    pub sku: String,
    pub prices: Vec<Money>,
    pub files: Vec<(String, Vec<u8>)>,
    pub link_life: Span,
    pub download_limit: u32,
    pub file_policy: FilePolicy,
    pub update_days: Option<u32>,
    pub pending_policy: PendingPolicy,
    pub other_text: String,
    pub deliverables: Deliverables,
}

impl NewGood {
    pub fn of(sku: &str) -> Self {
        Self {
            sku: sku.to_owned(),
            prices: vec![eur(49_00)],
            files: vec![(format!("{}.zip", sku.to_lowercase()), content(sku, 1_000))],
            link_life: products::LINK_LIFE_DEFAULT,
            download_limit: products::DOWNLOAD_LIMIT_DEFAULT,
            file_policy: FilePolicy::AsBought,
            update_days: None,
            pending_policy: PendingPolicy::Nothing,
            other_text: String::new(),
            deliverables: Deliverables::default(),
        }
    }

    pub fn priced(self, prices: &[Money]) -> Self {
        Self { prices: prices.to_vec(), ..self }
    }

    pub fn with_file(mut self, name: &str, content: &[u8]) -> Self {
        self.files = vec![(name.to_owned(), content.to_vec())];
        self
    }

    pub fn limited_to(self, download_limit: u32) -> Self {
        Self { download_limit, ..self }
    }

    /// Buyers always get the newest version.
    pub fn always_newest(self) -> Self {
        Self { file_policy: FilePolicy::Latest, ..self }
    }

    /// Buyers get new versions for so many days.
    pub fn updated_for(self, days: u32) -> Self {
        Self { file_policy: FilePolicy::UpdatesUntil, update_days: Some(days), ..self }
    }

    pub fn provisional(self) -> Self {
        Self { pending_policy: PendingPolicy::Provisional, ..self }
    }

    /// Nothing but what is made for the order.
    pub fn delivering(self, deliverables: Deliverables) -> Self {
        Self { files: Vec::new(), deliverables, ..self }
    }

    pub fn with_other_text(self, text: &str) -> Self {
        Self { other_text: text.to_owned(), ..self }
    }
}

fn item((product, quantity): &(&Product, u32)) -> CartItem {
    CartItem { product: product.id, choice: None, quantity: *quantity }
}

/// Reproducible bytes that deflating does not make fewer.
pub fn content(seed: &str, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    let seed = seed.bytes().fold(1u64, |seed, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte)));
    kernel::Entropy::fill(&kernel::SeededEntropy::new(seed), &mut bytes);
    bytes
}

/// Reproducible bytes that deflating makes far fewer.
pub fn text(seed: &str, length: usize) -> Vec<u8> {
    (0u32..).flat_map(|line| format!("{seed}, line {line}\n").into_bytes()).take(length).collect()
}

/// Makes a merchant and connects it with the simulated PayPal.
pub fn open_shop(app: &App, slug: &str, receiver: &str, paypal: &str) -> Shop {
    let (slug, address, endpoint) = (slug.to_owned(), receiver.to_owned(), paypal.to_owned());
    let made = app.write_blocking(MerchantId::from_bits(0), Actor::Shell, move |cx| {
        let new = merchants::flow::NewMerchant {
            slug: slug.clone(),
            name: format!("The {slug}"),
            email: email(&address),
            currency: Currency::EUR,
        };
        let merchant = merchants::flow::create(cx, &new)?;
        let settings = [(RECEIVER, address.as_str()), (ENDPOINT, endpoint.as_str())];
        let new = connections::flow::NewConnection {
            gateway: "paypal-standard".to_owned(),
            mode: Mode::Test,
            name: String::new(),
            settings: settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            secrets: BTreeMap::new(),
        };
        let connection = connections::flow::add(cx, &new)?;
        Ok((merchant, connection))
    });
    let (merchant, connection) = made.expect("a shop opens");
    Shop { merchant, connection, receiver: receiver.to_owned() }
}

impl TestApp {
    /// Another merchant beside the first.
    pub fn second_shop(&self) -> Shop {
        self.tick();
        open_shop(&self.app, "other", "other-seller@example.com", &self.paypal.url())
    }

    /// Puts a product on sale at the first merchant's.
    pub fn product(&self, good: NewGood) -> Product {
        self.product_at(&self.shop, good)
    }

    /// Puts a product on sale at a merchant's.
    pub fn product_at(&self, shop: &Shop, good: NewGood) -> Product {
        let stored: Vec<products::flow::StoredFile> =
            good.files.iter().map(|(name, bytes)| self.store(name, bytes)).collect();
        let made = self.write_for(shop.merchant.id, move |cx| {
            let new = products::flow::NewProduct {
                sku: good.sku.clone(),
                name: format!("The {}", good.sku),
                description: String::new(),
                prices: good.prices.clone(),
            };
            let mut product = products::flow::create(cx, &new)?;
            product.link_life = good.link_life;
            product.download_limit = good.download_limit;
            product.file_policy = good.file_policy;
            product.update_days = good.update_days;
            product.pending_policy = good.pending_policy;
            product.other_text.clone_from(&good.other_text);
            product.deliverables.clone_from(&good.deliverables);
            products::store::save(cx.tx, &product, cx.now)?;
            product.version += 1;
            for file in &stored {
                products::flow::add_file(cx, &product, file)?;
            }
            Ok(product)
        });
        made.expect("a product is made")
    }

    /// Puts bytes into the blob store.
    pub fn store(&self, name: &str, bytes: &[u8]) -> products::flow::StoredFile {
        let digests = stores::put(&**self.app.blobs(), bytes).expect("the content is stored");
        products::flow::StoredFile {
            name: name.to_owned(),
            sha256: digests.sha256.to_string(),
            size: digests.size,
            crc32: digests.crc32,
            md5: digests.md5_hex(),
        }
    }

    /// Brings out a new version of a product's first file.
    pub fn new_version(&self, product: &Product, bytes: &[u8]) -> products::ProductFile {
        let (product, merchant) = (product.clone(), product.merchant);
        let file = self.read({
            let id = product.id;
            move |snapshot| Ok(products::store::files(snapshot, merchant, id)?.remove(0))
        });
        let stored = self.store(&file.name, bytes);
        let made =
            self.write_for(merchant, move |cx| products::flow::replace_file(cx, &product, &file, &stored));
        made.expect("a file is replaced")
    }

    /// Changes a product's price from a moment on.
    pub fn set_price(&self, product: &Product, price: Money, from: Timestamp) {
        let product = product.clone();
        self.write_for(product.merchant, move |cx| products::flow::set_price(cx, &product, price, from))
            .expect("a price is set");
    }

    /// An order of the first merchant's products, awaiting its payment, by buyer@example.com.
    pub fn order(&self, items: &[(&Product, u32)]) -> Order {
        self.order_at(&self.shop, items, Currency::EUR)
    }

    /// An order at a merchant's in a currency.
    pub fn order_at(&self, shop: &Shop, items: &[(&Product, u32)], currency: Currency) -> Order {
        self.try_order(shop, items, currency, shop.connection.id).expect("an order is placed")
    }

    /// An order of a product of which this was chosen.
    pub fn order_chosen(&self, product: &Product, chosen: &str) -> Order {
        let form = BTreeMap::from([(app::payloads::ATTRIBUTE.to_owned(), chosen.to_owned())]);
        let answers = product.deliverables.read_answers(&form).expect("it can be chosen");
        let kept = product.clone();
        let choice =
            self.write_for(product.merchant, move |cx| app::choices::flow::keep(cx, &kept, &answers));
        let item = CartItem { product: product.id, choice: Some(choice.expect("kept")), quantity: 1 };
        let (merchant, connection) = (self.shop.merchant.clone(), self.shop.connection.id);
        let wanted = Wanted {
            items: vec![item],
            currency: Currency::EUR,
            connection,
            email: Some(email("buyer@example.com")),
            name: "Jo Buyer".to_owned(),
            country: None,
            consented: false,
        };
        self.write(move |cx| orders::flow::place(cx, &merchant, &wanted)).expect("an order is placed")
    }

    /// Tries to order through a connection.
    pub fn try_order(
        &self,
        shop: &Shop,
        items: &[(&Product, u32)],
        currency: Currency,
        connection: ConnectionId,
    ) -> app::problem::Flow<Order> {
        let wanted = Wanted {
            items: items.iter().map(item).collect(),
            currency,
            connection,
            email: Some(email("buyer@example.com")),
            name: "Jo Buyer".to_owned(),
            country: Some("DE".to_owned()),
            consented: false,
        };
        let merchant = shop.merchant.clone();
        self.tick();
        self.app.write_blocking(merchant.id, Actor::Visitor, move |cx| {
            orders::flow::place(cx, &merchant, &wanted)
        })
    }
}
