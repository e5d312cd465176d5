//! `handsel products …`

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use app::cx::Actor;
use app::payloads::Terms;
use app::problem::Problem;
use app::products::flow::{NewProduct, StoredFile};
use app::products::{Price, Product, ProductFile, flow, price_at, store};
use indicatif::{ProgressBar, ProgressStyle};
use kernel::{Currency, Money, ProductId};

use super::{Desk, VerbError, found};

/// What can be done with products.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// Put a product on sale.
    Add {
        /// The external item number.
        #[arg(long)]
        sku: String,
        /// Its name.
        #[arg(long)]
        name: String,
        /// What it costs, such as 49.00.
        #[arg(long)]
        price: String,
        /// ISO 4217, such as USD; the merchant's when absent.
        #[arg(long)]
        currency: Option<String>,
        /// For its page.
        #[arg(long, default_value = "")]
        description: String,
        /// A file to deliver; may be given several times.
        #[arg(long = "file", value_name = "PATH")]
        files: Vec<PathBuf>,
    },
    /// List the products.
    List {
        /// At most so many.
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Say what a product delivers from the declared folders, or take that away.
    Payload {
        /// Its id or item number.
        product: String,
        /// The spec, such as '/srv/goods/book*.zip,+/srv/goods/readme.txt'. See docs/PAYLOADS.md.
        #[arg(long, required_unless_present = "remove")]
        spec: Option<String>,
        /// The base directory, as specs call it.
        #[arg(long, default_value = "")]
        base: String,
        /// What the buyer chooses from, such as 'Large, Small'.
        #[arg(long, default_value = "")]
        attributes: String,
        /// Deliver no payload any more.
        #[arg(long, conflicts_with = "spec")]
        remove: bool,
    },
    /// Show one product.
    Show {
        /// Its id or item number.
        product: String,
    },
}

const READ_BYTES: usize = 1024 * 1024;

/// Runs the verb.
pub fn run(desk: &Desk, verb: Verb) -> Result<(), VerbError> {
    match verb {
        Verb::Add { sku, name, price, currency, description, files } => {
            let price = parse_price(desk, &price, currency.as_deref())?;
            let stored = files.iter().map(|path| take_in(desk, path)).collect::<Result<Vec<_>, _>>()?;
            let new = NewProduct { sku, name, description, prices: vec![price] };
            let made = desk.app.write_blocking(desk.merchant, Actor::Shell, move |cx| {
                let product = flow::create(cx, &new)?;
                for file in &stored {
                    flow::add_file(cx, &product, file)?;
                }
                Ok(product)
            })?;
            let value = view(desk, &made)?;
            desk.output.done(&format!("{} \"{}\" is on sale", made.id, made.name), &value);
        }
        Verb::List { limit } => {
            let merchant = desk.merchant;
            let all = desk.app.read_now(move |snapshot| Ok(store::page(snapshot, merchant, None, limit)?))?;
            let row =
                |p: &Product| vec![p.id.to_string(), p.sku.clone(), p.status.to_string(), p.name.clone()];
            let values = all.iter().map(|product| view(desk, product)).collect::<Result<Vec<_>, _>>()?;
            desk.output.list(
                &["ID", "SKU", "STATUS", "NAME"],
                &all.iter().map(row).collect::<Vec<_>>(),
                &values,
            );
        }
        Verb::Payload { product, spec, base, attributes, remove } => {
            let wanted = find(desk, &product)?;
            let terms = spec.filter(|_| !remove).map(|spec| Terms::read(&spec, &base, &attributes));
            let terms = terms.transpose().map_err(|problem| VerbError::Usage(problem.detail))?;
            let (id, version) = (wanted.id, wanted.version);
            let changed = desk.app.write_blocking(desk.merchant, Actor::Shell, move |cx| {
                let terms = terms.clone();
                app::deliverables::flow::change(cx, id, version, "payload", |all| all.payload = terms)
            })?;
            let told = if remove { "delivers no payload any more" } else { "delivers its payload" };
            let value = view(desk, &changed)?;
            desk.output
                .done(&format!("{} \"{}\" {told}, from the next order on", changed.id, changed.name), &value);
        }
        Verb::Show { product } => {
            let wanted = find(desk, &product)?;
            desk.output.one(&view(desk, &wanted)?);
        }
    }
    Ok(())
}

fn parse_price(desk: &Desk, price: &str, currency: Option<&str>) -> Result<Money, VerbError> {
    let usage = |error: kernel::MoneyError| VerbError::Usage(error.to_string());
    let currency = match currency {
        Some(code) => Currency::parse(code).map_err(usage)?,
        None => {
            let merchant = desk.merchant;
            desk.app.read_now(move |snapshot| Ok(app::merchants::store::by_id(snapshot, merchant)?))?.currency
        }
    };
    Money::parse(price, currency).map_err(usage)
}

/// Copies a file into the blob store, showing how far it is.
fn take_in(desk: &Desk, path: &Path) -> Result<StoredFile, VerbError> {
    let failed = |why| VerbError::File { path: path.display().to_string(), why };
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let name = flow::valid_file_name(name).map_err(|problem: Problem| VerbError::Refused(problem.into()))?;
    let mut file = File::open(path).map_err(failed)?;
    let bar = ProgressBar::new(file.metadata().map_err(failed)?.len());
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {eta}") {
        bar.set_style(style);
    }
    bar.set_message(name.clone());
    let mut upload = desk.app.blobs().begin()?;
    let mut buffer = vec![0u8; READ_BYTES];
    loop {
        let count = file.read(&mut buffer).map_err(failed)?;
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
        upload.write(bytes)?;
        bar.inc(u64::try_from(count).unwrap_or(0));
    }
    let digests = upload.finish()?;
    bar.finish_and_clear();
    Ok(StoredFile {
        name,
        sha256: digests.sha256.to_string(),
        size: digests.size,
        crc32: digests.crc32,
        md5: digests.md5_hex(),
    })
}

fn find(desk: &Desk, text: &str) -> Result<Product, VerbError> {
    let (merchant, wanted) = (desk.merchant, text.to_owned());
    let product = desk.app.read_now(move |snapshot| match wanted.parse::<ProductId>() {
        Ok(id) => Ok(store::by_id(snapshot, merchant, id)?),
        Err(_) => Ok(store::by_sku(snapshot, merchant, &wanted)?),
    })?;
    found("product", product)
}

fn view(desk: &Desk, product: &Product) -> Result<serde_json::Value, VerbError> {
    let (merchant, id) = (desk.merchant, product.id);
    let (prices, files) = desk.app.read_now(move |snapshot| {
        Ok((store::prices(snapshot, merchant, id)?, store::files(snapshot, merchant, id)?))
    })?;
    let now = desk.app.now();
    let mut currencies: Vec<Currency> = prices.iter().map(|price: &Price| price.currency).collect();
    currencies.sort_unstable();
    currencies.dedup();
    let in_force = currencies.iter().filter_map(|currency| price_at(&prices, *currency, now));
    let file = |file: &ProductFile| serde_json::json!({ "name": file.name, "size": file.size, "sha256": file.sha256, "md5": file.md5 });
    Ok(serde_json::json!({
        "id": product.id, "sku": product.sku, "name": product.name, "status": product.status,
        "prices": in_force.map(|price| price.to_string()).collect::<Vec<_>>(),
        "link_life_days": product.link_life.as_seconds() / 86_400, "download_limit": product.download_limit,
        "files": files.iter().map(file).collect::<Vec<_>>(),
    }))
}
