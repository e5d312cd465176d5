//! Listening: certificates, proxies, the background work, and a clean end.

use app::app::App;
use net::outbound::Roots;
use net::serve::{ForwardedBy, Limits, Server, StopHandle, TrustedProxies, on_signals, stop};
use net::tls::{Tls, TlsSettings};
use tokio::net::TcpListener;

use crate::config::{Config, ConfigError, ProxyConfig, TlsConfig, TlsMode};
use crate::wiring::StartError;

/// Let's Encrypt.
const ACME_DIRECTORY: &str = "https://acme-v02.api.letsencrypt.org/directory";

/// Serves until a signal says stop, then finishes what was begun.
pub async fn run(app: App, config: &Config, listener: TcpListener) -> Result<(), StartError> {
    let tls = Tls::open(&tls_settings(config)?, &Roots::default())
        .map_err(|error| StartError::Other(error.to_string()))?;
    let server = Server::new(Limits::default(), trusted_proxies(&config.proxies)?);
    let (handle, stopped) = stop();
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
    watch_signals(handle);
    let drained = server.serve(listener, tls, app::web::router(app), stopped).await;
    if drained.cut > 0 {
        tracing::warn!(connections = drained.cut, "cut off at the end; downloads can be resumed");
    }
    Ok(())
}

/// Jobs and the watch over transfers, for as long as the process lives.
pub fn begin_background(app: &App) {
    tokio::spawn(app::jobs::runner::run(app.clone()));
    tokio::spawn(app::downloads::jobs::watch(app.clone()));
}

/// Opens a listening socket.
pub async fn bind(address: &str) -> Result<TcpListener, StartError> {
    let failed = |why| StartError::System { what: format!("listening on {address}"), why };
    TcpListener::bind(address).await.map_err(failed)
}

fn watch_signals(handle: StopHandle) {
    tokio::spawn(async move {
        let Err(error) = on_signals(handle).await;
        tracing::error!(%error, "signals cannot be watched: only a kill will stop this program");
    });
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
