//! The ways in and out: address, certificates, proxies, mail server.

use net::outbound::Roots;
use net::tls::{Tls, TlsSettings};

use super::Finding;
use crate::config::{Config, TlsMode};
use crate::{serve, wiring};

/// The address by which the world reaches the shop.
pub fn base_url(config: &Config) -> Vec<Finding> {
    let url = &config.base_url;
    let local = url::Url::parse(url).ok().is_some_and(|parsed| is_loopback(&parsed));
    let behind_proxy = !config.proxies.trusted.is_empty();
    let finding = match (url.starts_with("https://"), config.tls.mode) {
        (true, TlsMode::Off) if !behind_proxy => Finding::warning(
            "base URL",
            format!("{url}, but this program serves plain HTTP and trusts no proxy"),
            "list the proxy that does TLS in proxies.trusted, or set tls.mode to files or acme",
        ),
        (true, _) => Finding::ok("base URL", url),
        (false, TlsMode::Files | TlsMode::Acme) => Finding::failed(
            "base URL",
            format!("{url} is plain HTTP, but this program serves HTTPS"),
            "write it with https://",
        ),
        (false, TlsMode::Off) if local => Finding::ok("base URL", format!("{url}: only for this machine")),
        (false, TlsMode::Off) => Finding::warning(
            "base URL",
            format!("{url} is plain HTTP: anybody on the way can read links and take over sessions"),
            "set tls.mode to files or acme, or put a proxy that does TLS in front, and write https://",
        ),
    };
    vec![finding]
}

fn is_loopback(url: &url::Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Certificates.
pub fn tls(config: &Config) -> Vec<Finding> {
    let refused = |error: &dyn std::fmt::Display| {
        let remedy = "correct [tls] in the configuration, or the files it names";
        vec![Finding::insecure("TLS", error.to_string(), remedy)]
    };
    match serve::tls_settings(config) {
        Err(error) => refused(&error),
        Ok(TlsSettings::Off) => vec![Finding::ok("TLS", "off: plain HTTP")],
        Ok(TlsSettings::Acme { domains, .. }) => {
            vec![Finding::ok("TLS", format!("ACME for {}", domains.join(", ")))]
        }
        Ok(settings @ TlsSettings::Files { .. }) => match Tls::open(&settings, &Roots::default()) {
            Ok(_) => vec![Finding::ok("TLS", "the files can be used")],
            Err(error) => refused(&error),
        },
    }
}

/// Whose word about the client is taken.
pub fn proxies(config: &Config) -> Vec<Finding> {
    let trusted = match serve::trusted_proxies(&config.proxies) {
        Ok(trusted) => trusted,
        Err(error) => {
            return vec![Finding::insecure(
                "proxies",
                error.to_string(),
                "correct [proxies] in the configuration",
            )];
        }
    };
    if let Some(all) = trusted.networks.iter().find(|network| network.prefix_len() == 0) {
        return vec![Finding::insecure(
            "proxies",
            format!("{all} trusts the whole world to say who a client is, so limits by address limit nobody"),
            "list the addresses of the proxies only",
        )];
    }
    let count = trusted.networks.len();
    vec![Finding::ok("proxies", if count == 0 { "none".to_owned() } else { format!("{count} networks") })]
}

/// The mail server: connects and signs in.
pub fn smtp(config: &Config) -> Finding {
    let Some(smtp) = &config.smtp else {
        return Finding::warning(
            "SMTP",
            "not configured, so mail waits and buyers see their links on the page only",
            "set host and port in [smtp]",
        );
    };
    let remedy = "check host, port, tls, user and password_file in [smtp]";
    let mailer = match wiring::smtp_mailer(smtp, &wiring::host_of(&config.base_url)) {
        Ok(mailer) => mailer,
        Err(error) => return Finding::failed("SMTP", error.to_string(), remedy),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let checked = match &runtime {
        Ok(runtime) => runtime.block_on(mailer.check()).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    match checked {
        Ok(()) => Finding::ok("SMTP", format!("{}:{} takes mail", smtp.host, smtp.port)),
        Err(why) => Finding::failed("SMTP", format!("{}:{}: {why}", smtp.host, smtp.port), remedy),
    }
}
