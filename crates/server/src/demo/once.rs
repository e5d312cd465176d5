//! One purchase by itself, over the same HTTP paths that a buyer takes.

use std::process::ExitCode;
use std::time::Duration;

use app::{notices, orders};
use kernel::OrderId;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::Stage;
use super::browser::{Browser, Page};

/// What is bought.
const SKU: &str = "LATHE-GOLD-21";
const BUYER: &str = "ada@example.com";
/// What each wait may take at most.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How the purchase went.
#[derive(Debug, Default, serde::Serialize)]
pub struct Report {
    /// Whether all of it held.
    pub ok: bool,
    /// The order.
    pub order: Option<String>,
    /// From the notice's arrival to the commit that fulfilled it.
    pub notice_to_fulfilled_ms: Option<f64>,
    /// Where the receipt went.
    pub mail_to: Option<String>,
    /// The file that was fetched.
    pub file: Option<String>,
    /// Its bytes.
    pub bytes: Option<u64>,
    /// Whether the two ranges together have the SHA-256 that page and mail told.
    pub sha256_ok: bool,
    /// What the audit found.
    pub audit_violations: Vec<String>,
    /// What went wrong.
    pub error: Option<String>,
}

/// Buys, pays, waits, reads the mail, downloads in two parts, audits.
pub async fn play(stage: &Stage) -> Report {
    let mut report = Report::default();
    let shown = super::progress();
    shown.set_message("buying, paying and downloading");
    if let Err(error) = purchase(stage, &mut report).await {
        report.error = Some(error);
    }
    shown.set_message("auditing");
    match super::audit(stage).await {
        Ok(violations) => report.audit_violations = violations,
        Err(error) => report.error = report.error.or(Some(error)),
    }
    shown.finish_and_clear();
    report.ok = report.error.is_none() && report.sha256_ok && report.audit_violations.is_empty();
    report
}

/// Prints the report and turns it into an exit code.
pub fn tell(report: &Report, json: bool) -> ExitCode {
    if json {
        println!("{}", serde_json::to_string_pretty(report).unwrap_or_default());
    } else if report.ok {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        println!("order {} was paid, delivered and checked", text(&report.order));
        println!(
            "mail to {}, file {}, SHA-256 as told, audit clean",
            text(&report.mail_to),
            text(&report.file)
        );
    } else {
        println!("failed: {report:#?}");
    }
    if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn purchase(stage: &Stage, report: &mut Report) -> Result<(), String> {
    let ports = [stage.shop.port(), stage.simulator.address().port(), stage.mailbox_page.port()];
    let mut browser = Browser::new(&ports)?;
    let thanks = pay(stage, &mut browser).await?;
    let delivered = wait_for_link(&mut browser, &thanks).await?;
    let link = delivered.link("/d/")?;
    let landing_told = told_digest(&delivered.text());

    let mail = wait_for_mail(stage).await?;
    report.mail_to = Some(mail.to.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
    let text = mail.parse().text;
    if !text.contains(link.path()) {
        return Err("the mail does not carry the link of the thank-you page".to_owned());
    }
    facts(stage, report).await?;
    download(&mut browser, &link, report, &text, landing_told).await
}

/// From the shop's first page to the way back from the gateway.
async fn pay(stage: &Stage, browser: &mut Browser) -> Result<Url, String> {
    let shop = Url::parse(&format!("http://{}/", stage.shop)).map_err(|error| error.to_string())?;
    let index = browser.get(&shop).await?;
    let product = browser.get(&index.link(SKU)?).await?;
    let cart = browser.submit(&product.form("/cart")?).await?;
    let handoff = browser.submit(&cart.form("/checkout")?.with("email", BUYER)).await?;
    let gateway = browser.submit(&handoff.form("/cgi-bin/webscr")?).await?;
    let paid = browser.submit(&gateway.form("/pay")?.with("choice", "now")).await?;
    let back = paid.form("/o/").map(|form| form.action).or_else(|_| paid.link("/o/"))?;
    Ok(back)
}

/// The thank-you page, once it shows what was bought.
async fn wait_for_link(browser: &mut Browser, thanks: &Url) -> Result<Page, String> {
    let mut looks = tokio::time::interval(LOOK_EVERY);
    let waited = tokio::time::timeout(PATIENCE, async {
        loop {
            looks.tick().await;
            let page = browser.get(thanks).await?;
            if !page.status.is_success() {
                return Err(format!("the thank-you page answered {}", page.status));
            }
            if page.link("/d/").is_ok() {
                return Ok(page);
            }
        }
    });
    waited.await.map_err(|_| "the thank-you page never showed the link".to_owned())?
}

/// The mail with the link. A product's second text is a mail of its own, and may overtake it.
async fn wait_for_mail(stage: &Stage) -> Result<std::sync::Arc<mail::Received>, String> {
    let waited = tokio::time::timeout(PATIENCE, async {
        for count in 1.. {
            stage.mails.wait_for(count).await;
            let receipt = stage.mails.all().into_iter().find(|mail| mail.parse().text.contains("/d/"));
            if receipt.is_some() {
                return receipt;
            }
        }
        None
    });
    waited.await.ok().flatten().ok_or_else(|| "no mail with a link came".to_owned())
}

/// What the database says of the order.
async fn facts(stage: &Stage, report: &mut Report) -> Result<(), String> {
    let merchant = stage.merchant;
    let found = stage.app.read(move |snapshot| {
        let order: OrderId = orders::store::newest(snapshot, merchant)?;
        Ok((order, notices::store::of_order(snapshot, merchant, order)?))
    });
    let (order, notices) = found.await.map_err(|error| error.to_string())?;
    report.order = Some(order.to_string());
    let times = notices.first().and_then(|notice| Some(notice.decided_at?.since(notice.received_at)));
    report.notice_to_fulfilled_ms = times.and_then(|span| {
        let micros = i32::try_from(span.as_micros()).ok()?;
        Some(f64::from(micros) / 1000.0)
    });
    Ok(())
}

/// Landing page, POST, and the file in two ranges.
async fn download(
    browser: &mut Browser,
    link: &Url,
    report: &mut Report,
    mail: &str,
    thanks_told: Option<String>,
) -> Result<(), String> {
    let landing = browser.get(link).await?;
    let told = told_digest(&landing.text()).ok_or_else(|| "the landing page tells no SHA-256".to_owned())?;
    let file = browser.submit_only(&landing.form("/files/")?).await?;
    let probe = browser.fetch(&file, &[("range", "bytes=0-0")]).await?;
    let size =
        whole_size(&probe).ok_or_else(|| format!("{file} answered {} without a range", probe.status))?;
    let half = size / 2;
    let first = browser.fetch(&file, &[("range", &format!("bytes=0-{}", half.saturating_sub(1)))]).await?;
    let second = browser.fetch(&file, &[("range", &format!("bytes={half}-"))]).await?;
    let mut hash = Sha256::new();
    hash.update(&first.body);
    hash.update(&second.body);
    let got = hex::encode(hash.finalize());
    report.file = file.path_segments().and_then(|mut parts| parts.next_back()).map(str::to_owned);
    report.bytes = Some(size);
    report.sha256_ok = got == told && mail.contains(&got) && thanks_told.is_none_or(|thanks| thanks == got);
    if report.sha256_ok { Ok(()) } else { Err(format!("told {told}, got {got}")) }
}

fn whole_size(page: &Page) -> Option<u64> {
    let range = page.headers.get(http::header::CONTENT_RANGE)?.to_str().ok()?;
    range.rsplit('/').next()?.parse().ok()
}

/// The first 64 hex digits in a row.
fn told_digest(text: &str) -> Option<String> {
    let words = text.split(|c: char| !c.is_ascii_hexdigit());
    words.into_iter().find(|word| word.len() == 64).map(str::to_owned)
}
