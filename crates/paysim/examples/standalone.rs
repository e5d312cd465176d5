//! The simulated PayPal by itself: `cargo run -p paysim --example standalone -- 127.0.0.1:8090`.

use kernel::{Entropy, SystemEntropy};
use paysim::{BookOptions, Options, Patience, PaySim};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8090".to_owned());
    // A shop remembers transaction ids, so each run needs its own.
    let mut seed = [0u8; 8];
    SystemEntropy.fill(&mut seed);
    let book =
        BookOptions { seed: u64::from_le_bytes(seed), patience: Patience::Demo, ..BookOptions::default() };
    let sim = PaySim::start(TcpListener::bind(address).await?, Options { book, ..Options::default() })?;
    println!("simulated PayPal: {}/", sim.url());
    std::future::pending().await
}
