//! Authorized downloads over plain HTTP with keep-alive, against nginx `secure_link` + sendfile.

mod client;
mod nginx;

use std::sync::Arc;
use std::time::Duration;

use app::cx::Actor;
use app::downloads::flow::{Client, start};
use app::downloads::pages::transfer_path;
use app::downloads::transfer_token;
use app::jobs::runner;
use db::Options;
use net::serve::{Limits, Server, StopHandle, TrustedProxies, stop};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::orders::{Verify, deliver, notice};
use crate::report::{Failure, Pace, Report};
use crate::shop::{self, Shop};

/// Sizes and how many connections fetch at once.
const SIZES: [(&str, usize, usize); 3] =
    [("10 KiB", 10 << 10, 16), ("1 MiB", 1 << 20, 8), ("1 GiB", 1 << 30, 2)];
/// Of the design.
const BUDGET: f64 = 1.0;
/// Sessions opened ahead: a session hands its content out about twice, and a small one some more.
const SESSIONS: usize = 6_000;
const SESSIONS_LARGE: usize = 64;

/// Measures each size.
///
/// # Errors
/// When nginx or the product fails.
pub fn run(pace: Pace, report: &mut Report) -> Result<(), Failure> {
    let Some(program) = nginx::find() else {
        return Err("nginx is not installed: apt-get install nginx-light, then run this again".into());
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    for (name, size, connections) in SIZES {
        measure(&runtime, &program, (name, size, connections), pace, report)?;
    }
    Ok(())
}

fn measure(
    runtime: &Runtime,
    program: &std::path::Path,
    (name, size, connections): (&str, usize, usize),
    pace: Pace,
    report: &mut Report,
) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let content: Vec<u8> = (0..size).map(|at| u8::try_from(at % 251).unwrap_or(0)).collect();
    let nginx = nginx::Nginx::start(program, &content)?;
    let options = Options::Sqlite(folder.path().join("bench.db"));
    let shop = shop::open(folder.path(), &options, "http://127.0.0.1:9", &content)?;
    drop(content);
    let (port, _stop) = serve(runtime, &shop)?;
    let sessions = if size > 64 << 20 { SESSIONS_LARGE } else { SESSIONS };
    let paths = Arc::new(open_sessions(runtime, &shop, sessions)?);
    // How often one session may be fetched before its budget is used up.
    let per_session = ((2 * size + (64 << 10)) / size).max(2) - 1;
    let ours = client::Target { port, paths, per_path: per_session };
    let theirs =
        client::Target { port: nginx.port(), paths: Arc::new(vec![nginx.path()]), per_path: usize::MAX };
    let expected = u64::try_from(size)?;
    report.compare_timed(
        &format!("download of {name}, {connections} connections"),
        ("nginx secure_link + sendfile", &mut |turn: Duration| {
            client::fetch(&theirs, connections, expected, turn)
        }),
        &mut |turn: Duration| client::fetch(&ours, connections, expected, turn),
        Some(BUDGET),
        pace,
    )
}

fn serve(runtime: &Runtime, shop: &Shop) -> Result<(u16, StopHandle), Failure> {
    let (handle, stopped) = stop();
    let app = shop.app.clone();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let port = listener.local_addr()?.port();
    runtime.spawn(async move {
        let server = Server::new(Limits::default(), TrustedProxies::default());
        tokio::spawn(app::downloads::jobs::watch(app.clone()));
        server.serve(listener, None, app::web::router(app), stopped).await
    });
    Ok((port, handle))
}

/// A paid order, and so many sessions on its file.
fn open_sessions(runtime: &Runtime, shop: &Shop, count: usize) -> Result<Vec<String>, Failure> {
    let order = shop.place(1)?.pop().ok_or("no order was placed")?;
    let post = notice(shop, &order, 0);
    runtime.block_on(deliver(shop, vec![post], Verify::AtTheSeam))?;
    runtime.block_on(runner::keep_house(&shop.app))?;
    let (merchant, id, ring) = (shop.merchant.id, order.id, shop.app.ring_arc());
    let started = shop.app.write_blocking(merchant, Actor::Visitor, move |cx| {
        let grants = app::fulfillment::store::of_order(cx.tx, cx.merchant, id)?;
        let token =
            grants.first().and_then(|grant| app::links::grant_token(&ring, grant)).unwrap_or_default();
        let grant = app::downloads::flow::open_link(cx.tx, &ring, &token)?;
        let file = app::downloads::store::files(cx.tx, &grant)?.first().map(|file| file.version);
        let client = Client { address: "127.0.0.1".to_owned(), user_agent: "bench".to_owned() };
        let file = file.ok_or_else(|| app::problem::Problem::not_found("file"))?;
        (0..count).map(|_| start(cx, &token, file, &client)).collect::<Result<Vec<_>, _>>()
    })?;
    let path =
        |download| transfer_token(shop.app.ring(), download).map(|token| transfer_path(&token, "file.bin"));
    started.iter().map(|download| path(download).ok_or_else(|| "no token".into())).collect()
}
