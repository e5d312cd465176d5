//! A product as staff see it: what it delivers, costs and has sold, on one page.

use std::collections::HashMap;

use db::Source;
use gateways::{Button, Opening};
use jiff::ToSpan as _;
use jiff::tz::TimeZone;
use kernel::{Currency, FileVersionId, MerchantId, Money, ProductId, Timestamp};
use ui::admin::{
    ButtonCode, DaySales, FileRow, FileVersionRow, PriceRow, ProductPage, ProductSales, SalesChart,
};

use super::desk_store::{self, Quarter, Version};
use super::{Price, Product, form, store};
use crate::connections::{self, Connection};
use crate::deliverables;
use crate::merchants::Merchant;
use crate::orders;
use crate::orders::staff_view::days;
use crate::problem::{Flow, Problem};
use crate::web::listing::word;

/// Days of the charts, today included.
const CHART_DAYS: i64 = 30;
/// Orders shown.
const RECENT_MAX: u32 = 10;

/// What the page needs beside the database.
#[derive(Debug, Clone)]
pub struct Looking {
    /// Whose product it is.
    pub merchant: Merchant,
    /// Where gateways reach us.
    pub base_url: String,
    /// The time.
    pub now: Timestamp,
}

/// A merchant's product.
pub fn find(source: &mut impl Source, merchant: MerchantId, id: ProductId) -> Flow<Product> {
    Ok(store::by_id(source, merchant, id)?.ok_or_else(|| Problem::not_found("product"))?)
}

/// The page of a product.
pub fn page(source: &mut impl Source, id: ProductId, looking: &Looking) -> Flow<ProductPage> {
    let product = find(source, looking.merchant.id, id)?;
    let prices = store::prices(source, product.merchant, id)?;
    let offered = connections::offered(connections::store::list(source, product.merchant)?);
    Ok(ProductPage {
        id,
        status: word(product.status.as_str()),
        prices: price_rows(source, &product, looking.now)?,
        files: file_rows(source, &product)?,
        upload_bytes_max: None,
        link_life_days: days(product.link_life),
        download_limit: product.download_limit,
        file_policy: word(product.file_policy.as_str()),
        update_days: product.update_days,
        pending_policy: word(product.pending_policy.as_str()),
        deliveries: deliverables::staff_view::rows(&product.deliverables),
        sales: sales(source, &product, looking)?,
        shop_path: super::path(&product),
        buttons: buttons(&product, &form::in_force(&prices, looking.now), &offered, &looking.base_url),
        created_at: product.created_at,
        updated_at: product.updated_at,
        sku: product.sku,
        name: product.name,
        description: product.description,
        standard_text: product.standard_text,
        other_text: product.other_text,
        support_text: product.support_text,
    })
}

/// The price in force in each currency, and those to come.
fn price_rows(source: &mut impl Source, product: &Product, now: Timestamp) -> Flow<Vec<PriceRow>> {
    let all = desk_store::prices(source, product.merchant, product.id)?;
    let superseded = |price: &Price| {
        let newer = |(_, other): &&(_, Price)| {
            other.currency == price.currency && other.valid_from > price.valid_from && other.valid_from <= now
        };
        all.iter().find(newer).is_some()
    };
    let rows = all.iter().filter(|(_, price)| !superseded(price)).map(|(id, price)| PriceRow {
        id: *id,
        currency: price.currency,
        amount: price.minor.map(|minor| Money::new(minor, price.currency)),
        valid_from: price.valid_from,
        in_force: price.valid_from <= now,
    });
    Ok(rows.collect())
}

/// The files of a product with all their versions.
pub fn file_rows(source: &mut impl Source, product: &Product) -> Flow<Vec<FileRow>> {
    let bought = desk_store::bought(source, product.merchant, product.id)?;
    let bought: HashMap<FileVersionId, u64> = bought.into_iter().collect();
    let mut rows: Vec<FileRow> = Vec::new();
    for version in desk_store::versions(source, product.merchant, product.id)? {
        let row = version_row(&version, bought.get(&version.id).copied().unwrap_or_default());
        match rows.last_mut().filter(|file| file.id == version.file) {
            Some(file) => file.versions.push(row),
            None => rows.push(FileRow {
                id: version.file,
                name: version.name,
                bytes: version.bytes,
                sha256: version.sha256,
                md5: version.md5,
                added_at: version.added_at,
                versions: vec![row],
            }),
        }
    }
    Ok(rows)
}

fn version_row(version: &Version, bought: u64) -> FileVersionRow {
    FileVersionRow {
        id: version.id,
        name: version.name.clone(),
        bytes: version.bytes,
        sha256: version.sha256.clone(),
        added_at: version.added_at,
        bought,
    }
}

fn sales(source: &mut impl Source, product: &Product, looking: &Looking) -> Flow<ProductSales> {
    let (merchant, id) = (product.merchant, product.id);
    let brought = desk_store::brought(source, merchant, id)?;
    let mut recent = desk_store::newest_orders(source, merchant, id, RECENT_MAX)?;
    recent.dedup();
    let mut recent = orders::desk_store::by_ids(source, merchant, &recent)?;
    recent.sort_by_key(|order| std::cmp::Reverse(order.id));
    let month = Month::until(looking.now, &looking.merchant.time_zone);
    let quarters = desk_store::brought_since(source, merchant, id, month.begins())?;
    Ok(ProductSales {
        units: brought.iter().map(|brought| brought.units).fold(0, u64::saturating_add),
        sums: brought.iter().map(|brought| Money::new(brought.minor, brought.currency)).collect(),
        charts: month.charts(&quarters),
        recent: orders::rows::rows(source, merchant, &recent)?,
    })
}

/// The last days in the merchant's time zone, each by when it begins.
struct Month(Vec<Timestamp>);

impl Month {
    fn until(now: Timestamp, zone: &str) -> Self {
        let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
        let today = now.to_jiff().to_zoned(zone.clone()).date();
        let begins = |ago: i64| {
            let day = today.checked_sub(ago.days()).ok()?.to_zoned(zone.clone()).ok()?;
            Some(Timestamp::from_micros(day.timestamp().as_microsecond()))
        };
        Self((0..CHART_DAYS).rev().filter_map(begins).collect())
    }

    fn begins(&self) -> Timestamp {
        self.0.first().copied().unwrap_or_default()
    }

    /// A chart for each currency that sold.
    fn charts(&self, quarters: &[Quarter]) -> Vec<SalesChart> {
        let mut currencies: Vec<Currency> = quarters.iter().map(|quarter| quarter.currency).collect();
        currencies.dedup();
        let chart = |currency| {
            let mut days: Vec<DaySales> =
                self.0.iter().map(|day| DaySales { day: *day, orders: 0, minor: 0 }).collect();
            for quarter in quarters.iter().filter(|quarter| quarter.currency == currency) {
                if let Some(day) = days.iter_mut().rev().find(|day| day.day <= quarter.at) {
                    day.orders = day.orders.saturating_add(quarter.orders);
                    day.minor = day.minor.saturating_add(quarter.minor);
                }
            }
            SalesChart::new(currency, &days)
        };
        currencies.into_iter().map(chart).collect()
    }
}

/// A form for other web sites for each connection and price.
fn buttons(product: &Product, prices: &[Money], offered: &[Connection], base_url: &str) -> Vec<ButtonCode> {
    let mut buttons = Vec::new();
    for connection in offered {
        let Some(adapter) = gateways::gateway(&connection.gateway) else { continue };
        for price in prices {
            let wanted = Button {
                sku: product.sku.clone(),
                name: product.name.clone(),
                price: *price,
                notify_url: format!("{base_url}/hooks/{}", connection.id),
            };
            // What is secret never stands on somebody's web page.
            if let Ok(Opening::Form { action, fields }) =
                adapter.button(&wanted, &connection.without_secrets())
            {
                let label = format!("{}, {}", connection.brand(), price.currency);
                buttons.push(ButtonCode { label, code: html(&action, &fields, &product.name) });
            }
        }
    }
    buttons
}

fn html(action: &str, fields: &[(String, String)], name: &str) -> String {
    let mut code = format!("<form action=\"{}\" method=\"post\">\n", escaped(action));
    for (field, value) in fields {
        let (field, value) = (escaped(field), escaped(value));
        code.push_str(&format!("  <input type=\"hidden\" name=\"{field}\" value=\"{value}\">\n"));
    }
    code.push_str(&format!("  <button type=\"submit\">{}</button>\n</form>\n", escaped(name)));
    code
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn a_sale_is_counted_on_the_merchants_day() {
        let month = Month::until(at("2026-03-29T21:59:00Z"), "Europe/Berlin");
        assert_eq!(month.begins(), at("2026-02-27T23:00:00Z"));
        let quarter = |text| Quarter { at: at(text), currency: Currency::EUR, orders: 1, minor: 100 };
        let charts = month.charts(&[quarter("2026-03-28T22:45:00Z"), quarter("2026-03-28T23:00:00Z")]);
        let sold: Vec<u32> = charts[0].bars.iter().rev().take(2).map(|bar| bar.orders).collect();
        assert_eq!((charts[0].bars.len(), sold), (30, vec![1, 1]));
    }

    #[test]
    fn a_name_is_only_text_on_another_site() {
        let code = html("https://pay.example/?a&b", &[("item_name".into(), "\"><script>".into())], "A & <b>");
        assert!(code.contains("value=\"&quot;&gt;&lt;script&gt;\""), "{code}");
        assert!(code.contains("action=\"https://pay.example/?a&amp;b\""), "{code}");
        assert!(code.contains(">A &amp; &lt;b&gt;</button>"), "{code}");
    }
}
