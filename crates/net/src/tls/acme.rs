//! Certificates from an ACME authority, by tls-alpn-01 on the TLS port itself.

use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures_core::Stream;
use rustls::ClientConfig;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_acme::{AcmeConfig, AcmeState, EventOk, ResolvesServerCertAcme, is_tls_alpn_challenge};
use tokio::time::timeout;
use url::Url;

use super::TlsError;
use super::cache::PrivateFolder;
use crate::outbound::Roots;

/// The authority is called without a deadline, so a call that hangs would end all renewals. After
/// a day without any news everything starts over from what is kept, which costs nothing.
const START_OVER_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

type State = AcmeState<std::io::Error, std::io::Error>;

/// Whom certificates are asked of, for whom.
pub(super) struct Account {
    domains: Vec<String>,
    contact: Vec<String>,
    folder: PathBuf,
    directory_url: String,
    client: Arc<ClientConfig>,
}

impl Account {
    pub(super) fn new(
        domains: &[String],
        contact: &[String],
        cache_dir: &Path,
        directory_url: &str,
        roots: &Roots,
    ) -> Result<Self, TlsError> {
        if domains.is_empty() {
            return Err(TlsError::Acme("no domain is named".to_owned()));
        }
        if let Some(wild) = domains.iter().find(|domain| domain.contains(['*', '/', ':', ' '])) {
            return Err(TlsError::Acme(format!("{wild:?} is not the name of one host")));
        }
        if !Url::parse(directory_url).is_ok_and(|url| url.scheme() == "https") {
            return Err(TlsError::Acme(format!("{directory_url:?} is not an https URL")));
        }
        PrivateFolder::open(cache_dir)?;
        let mailto = |address: &String| match address.starts_with("mailto:") {
            true => address.clone(),
            false => format!("mailto:{address}"),
        };
        Ok(Self {
            domains: domains.iter().map(|domain| domain.to_ascii_lowercase()).collect(),
            contact: contact.iter().map(mailto).collect(),
            folder: cache_dir.to_owned(),
            directory_url: directory_url.to_owned(),
            client: Arc::new(roots.client_config()?),
        })
    }

    fn begin(&self) -> State {
        AcmeConfig::new_with_client_config(&self.domains, Arc::clone(&self.client))
            .contact(&self.contact)
            .directory(&self.directory_url)
            .cache(PrivateFolder::at(&self.folder))
            .state()
    }
}

pub(super) struct Acme {
    account: Account,
    /// Taken by whoever renews.
    state: tokio::sync::Mutex<State>,
    resolver: Arc<Resolver>,
}

/// Visits of the authority see the newest attempt, customers the newest that has a certificate.
#[derive(Debug)]
struct Resolver {
    challenges: RwLock<Arc<ResolvesServerCertAcme>>,
    serving: RwLock<Arc<ResolvesServerCertAcme>>,
}

impl Acme {
    pub(super) fn new(account: Account) -> Self {
        let state = account.begin();
        let (challenges, serving) = (RwLock::new(state.resolver()), RwLock::new(state.resolver()));
        Self {
            account,
            state: tokio::sync::Mutex::new(state),
            resolver: Arc::new(Resolver { challenges, serving }),
        }
    }

    pub(super) fn resolver(&self) -> Arc<dyn ResolvesServerCert> {
        self.resolver.clone()
    }

    /// Orders, deploys and renews, for ever.
    pub(super) async fn renew(&self) {
        let mut state = self.state.lock().await;
        loop {
            let news = poll_fn(|cx| Pin::new(&mut *state).poll_next(cx));
            match timeout(START_OVER_AFTER, news).await {
                Ok(Some(Ok(EventOk::DeployedNewCert | EventOk::DeployedCachedCert))) => {
                    replace(&self.resolver.serving, state.resolver());
                    tracing::info!(domains = ?self.account.domains, "certificate in use");
                }
                Ok(Some(Ok(kept))) => tracing::debug!(?kept, "kept what the authority gave"),
                // It tries again by itself, ever more slowly.
                Ok(Some(Err(error))) => tracing::error!(%error, "certificate not renewed; trying again"),
                Ok(None) | Err(_) => {
                    *state = self.account.begin();
                    replace(&self.resolver.challenges, state.resolver());
                }
            }
        }
    }
}

fn replace(place: &RwLock<Arc<ResolvesServerCertAcme>>, new: Arc<ResolvesServerCertAcme>) {
    *place.write().unwrap_or_else(PoisonError::into_inner) = new;
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let place = if is_tls_alpn_challenge(&hello) { &self.challenges } else { &self.serving };
        let resolver = Arc::clone(&place.read().unwrap_or_else(PoisonError::into_inner));
        resolver.resolve(hello)
    }
}
