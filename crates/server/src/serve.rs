//! Listening: certificates, proxies, the background work, and a clean end.

use std::io::ErrorKind;

use app::app::App;
use net::outbound::Roots;
use net::serve::{ForwardedBy, Limits, Server, Stop, TrustedProxies, on_signals, stop};
use net::tls::{Tls, TlsSettings};
use tokio::net::TcpListener;

use crate::config::{Config, ConfigError, ProxyConfig, TlsConfig, TlsMode};
use crate::descriptors;
use crate::wiring::StartError;

/// Let's Encrypt.
const ACME_DIRECTORY: &str = "https://acme-v02.api.letsencrypt.org/directory";

/// Serves until it is told to stop, then finishes what was begun.
pub async fn run(app: App, config: &Config, listener: TcpListener, stopped: Stop) -> Result<(), StartError> {
    let tls = Tls::open(&tls_settings(config)?, &Roots::default())
        .map_err(|error| StartError::Other(error.to_string()))?;
    let defaults = Limits::default();
    let limits =
        Limits { connections_max: descriptors::connections_max(defaults.connections_max)?, ..defaults };
    let server = Server::new(limits, trusted_proxies(&config.proxies)?);
    begin_background(&app);
    if let Some(tls) = tls.clone() {
        tokio::spawn(async move { tls.keep_fresh().await });
    }
    if let (Some(address), Some(_)) = (&config.tls.redirect_from, &tls) {
        let plain = bind(address).await?;
        let port = listener.local_addr().map_or(443, |address| address.port());
        let hosts = net::headers::AllowedHosts::new([crate::wiring::host_of(&config.base_url)]);
        let (server, stopped) = (server.clone(), stopped.clone());
        tokio::spawn(async move { server.redirect_to_https(plain, port, hosts, stopped).await });
    }
    let drained = server.serve(listener, tls, app::web::program(app), stopped).await;
    if drained.cut > 0 {
        tracing::warn!(connections = drained.cut, "cut off at the end; downloads can be resumed");
    }
    Ok(())
}

/// Jobs, the watch over transfers and stores, and the stores' cleaning, for as long as the process lives.
pub fn begin_background(app: &App) {
    tokio::spawn(app::jobs::runner::run(app.clone()));
    tokio::spawn(app::downloads::jobs::watch(app.clone()));
    tokio::spawn(app::products::jobs::keep_clean(app.clone()));
    tokio::spawn(app::storage::jobs::keep_watch(app.clone()));
}

/// Opens a listening socket.
pub async fn bind(address: &str) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|why| {
        let remedy = match why.kind() {
            ErrorKind::AddrInUse => "another program listens there: end it, or choose another address",
            ErrorKind::PermissionDenied => {
                "ports below 1024 need the right CAP_NET_BIND_SERVICE: grant it, or choose another address"
            }
            _ => "write an address of this machine and a port, such as 0.0.0.0:443",
        };
        let how = "(\"listen\" in the configuration, --port for the demo)";
        StartError::Address { address: address.to_owned(), why, remedy: format!("{remedy} {how}") }
    })
}

/// Told to stop by SIGTERM and SIGINT. Called before anything is announced: who reads an address
/// may end the program at once.
pub fn stop_on_signals() -> Result<Stop, StartError> {
    let (handle, stopped) = stop();
    let failed = |why| StartError::System { what: "watching for signals".to_owned(), why };
    tokio::spawn(on_signals(handle).map_err(failed)?);
    Ok(stopped)
}

/// What the configuration says of certificates.
pub fn tls_settings(config: &Config) -> Result<TlsSettings, StartError> {
    let tls: &TlsConfig = &config.tls;
    let missing = |name, remedy: &str| {
        StartError::Config(ConfigError::Refused {
            name,
            problem: "missing".to_owned(),
            remedy: remedy.to_owned(),
        })
    };
    match tls.mode {
        TlsMode::Off => Ok(TlsSettings::Off),
        TlsMode::Files => Ok(TlsSettings::Files {
            cert: tls.cert.clone().ok_or_else(|| missing("tls.cert", "name the PEM file of the chain"))?,
            key: tls.key.clone().ok_or_else(|| missing("tls.key", "name the PEM file of the key"))?,
        }),
        TlsMode::Acme if tls.domains.is_empty() => {
            Err(missing("tls.domains", "list the names of the certificate"))
        }
        TlsMode::Acme => Ok(TlsSettings::Acme {
            domains: tls.domains.clone(),
            contact: tls.contact.clone(),
            cache_dir: config.data.join("acme"),
            directory_url: if tls.directory_url.is_empty() {
                ACME_DIRECTORY.to_owned()
            } else {
                tls.directory_url.clone()
            },
        }),
    }
}

/// What the configuration says of proxies.
pub fn trusted_proxies(config: &ProxyConfig) -> Result<TrustedProxies, StartError> {
    let refused = |problem: String, remedy: &str| {
        StartError::Config(ConfigError::Refused { name: "proxies", problem, remedy: remedy.to_owned() })
    };
    let header = match config.header.as_deref() {
        None | Some("x-forwarded") => ForwardedBy::XForwarded,
        Some("forwarded") => ForwardedBy::Forwarded,
        Some(other) => {
            return Err(refused(
                format!("\"{other}\" is no header that is understood"),
                "write x-forwarded or forwarded",
            ));
        }
    };
    let networks = config.trusted.iter().map(|text| {
        text.parse().map_err(|_| refused(format!("\"{text}\" is not a network"), "write such as 10.0.0.0/8"))
    });
    Ok(TrustedProxies { networks: networks.collect::<Result<_, _>>()?, header })
}
