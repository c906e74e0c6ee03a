//! Entra's token endpoint and a Key Vault on this machine, faithful enough for Microsoft's own SDKs.
//!
//! Clients keep the names of the real services and reach them through an HTTP proxy, where every
//! tunnel to one of those names ends in the fake, which speaks TLS with a certificate of a root of its
//! own. So nothing is switched off in a client: not the verification of certificates, not that of
//! authentication challenges, and real programs are pointed here by their environment alone.
//!
//! The fake has a thread of its own, so a test may block, and tests need not share a runtime with it.

mod asked;
mod assertion;
mod control;
mod endpoint;
mod entra;
mod fault;
mod keys;
mod listener;
mod random;
mod record;
mod refusal;
mod reply;
mod secrets;
mod state;
mod tenant;
mod vault;
mod version;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, SystemTime},
};

use anyhow::Context;
use sealane_codec::azure::{Azure, Identity, WorkloadIdentity};
use tokio::{net::TcpListener, runtime, sync::oneshot};
use tokio_rustls::TlsAcceptor;
use url::Url;

use self::state::Shared;
pub use self::{
    assertion::{AUDIENCE, Assertion, ISSUER, SUBJECT},
    endpoint::{Endpoint, Role, Side},
    fault::{Fault, RetryAfter, Trouble},
    record::Recorded,
    tenant::Tenant,
    version::{Attributes, NewVersion, SecretVersion},
};
use crate::tls::Authority;

/// The tenant that Entra knows.
pub const TENANT_ID: &str = "3c9a6d0e-0000-4000-8000-5ea1a4e00001";
/// The identity that it trusts [`SUBJECT`] to be.
pub const CLIENT_ID: &str = "3c9a6d0e-0000-4000-8000-5ea1a4e00002";
/// The secret that [`FakeAzure::environment`] names. It has no versions until a test adds some.
pub const SECRET: &str = "payload-key";

const VAULT: &str = "unit";
const VAULT_HOST: &str = "unit.vault.azure.net";
const VAULT_URL: &str = "https://unit.vault.azure.net";
const RESOURCE: &str = "https://vault.azure.net";
const STORAGE: &str = "https://storage.azure.com";
/// The authority of the public cloud, as the webhook injects it.
const AUTHORITY_HOST: &str = "login.microsoftonline.com";
/// Another name of the same.
const TEST_AUTHORITY_HOST: &str = "login.test";

/// A fake Azure, for as long as it is kept.
pub struct FakeAzure {
    folder: tempfile::TempDir,
    address: SocketAddr,
    authority: Authority,
    root: String,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// How a service cannot be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outage {
    /// The proxy has no way to it: 502. Standing connections are reset.
    Refused,
    /// Every connection is reset at once.
    Reset,
    /// Nothing ever answers, on new and standing connections.
    Silent,
}

impl FakeAzure {
    /// Starts one, in which the worker's identity is a Key Vault Secrets User and a Crypto Service Encryption User.
    ///
    /// # Errors
    ///
    /// If it cannot listen.
    pub async fn start() -> anyhow::Result<Self> {
        let authority = Authority::new()?;
        let names = [VAULT_HOST, AUTHORITY_HOST, TEST_AUTHORITY_HOST];
        let acceptor = authority.http_server(&names)?;
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::new());
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("fake-azure".to_owned())
            .spawn({
                let shared = Arc::clone(&shared);
                move || run(listener, acceptor, shared, stopped)
            })?;
        let folder = tempfile::tempdir()?;
        std::fs::write(token_file(folder.path()), Assertion::default().token())?;
        Ok(Self {
            folder,
            address,
            root: authority.pem(),
            authority,
            shared,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Returns what belongs into `HTTPS_PROXY`.
    pub fn proxy_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sends tunnels to `host` on to a server on this machine, or, with `None`, nowhere.
    pub fn forward(&self, host: &str, to: Option<SocketAddr>) {
        self.shared.forward(host, to);
    }

    /// Returns the authority that clients of the fake trust.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Returns a token with which a storage account lets the worker's identity in.
    pub fn storage_token(&self) -> String {
        entra::storage_token(SystemTime::now(), Duration::from_secs(3600))
    }

    /// Returns the certificate to trust.
    pub fn root_pem(&self) -> &str {
        &self.root
    }

    /// Returns a client that goes through the proxy and trusts nothing but the fake.
    ///
    /// # Panics
    ///
    /// If the certificate or the address is not valid.
    pub fn http_client(&self) -> reqwest::Client {
        let root = reqwest::Certificate::from_pem(self.root.as_bytes()).expect("a certificate");
        reqwest::Client::builder()
            .tls_certs_only([root])
            .proxy(reqwest::Proxy::https(self.proxy_url()).expect("an address"))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .build()
            .expect("a client")
    }

    /// Returns the address of the vault.
    ///
    /// # Panics
    ///
    /// Never: the address is a constant.
    pub fn vault_url(&self) -> Url {
        VAULT_URL.parse().expect("an address")
    }

    /// Returns the address of Entra.
    ///
    /// # Panics
    ///
    /// Never: the address is a constant.
    pub fn authority_host(&self) -> Url {
        format!("https://{AUTHORITY_HOST}/")
            .parse()
            .expect("an address")
    }

    /// Returns [`TENANT_ID`].
    pub fn tenant_id(&self) -> &'static str {
        TENANT_ID
    }

    /// Returns [`CLIENT_ID`].
    pub fn client_id(&self) -> &'static str {
        CLIENT_ID
    }

    /// Writes a good federated token to `path`, and returns its `jti`.
    ///
    /// # Panics
    ///
    /// If it cannot be written.
    pub fn write_token(&self, path: &Path) -> String {
        self.write_assertion(path, &Assertion::default())
    }

    /// Writes any federated token to `path`, and returns its `jti`. A reader sees the old or the new one.
    ///
    /// # Panics
    ///
    /// If it cannot be written.
    pub fn write_assertion(&self, path: &Path, assertion: &Assertion) -> String {
        let beside = path.with_extension("new");
        std::fs::write(&beside, assertion.token()).expect("a token can be written");
        std::fs::rename(&beside, path).expect("a token can be renamed");
        assertion.id.clone()
    }

    /// Returns the worker's identity, whose federated token is in [`token_file`](Self::token_file).
    pub fn workload_identity(&self) -> WorkloadIdentity {
        WorkloadIdentity {
            tenant_id: TENANT_ID.to_owned(),
            client_id: CLIENT_ID.to_owned(),
            token_file: self.token_file(),
            authority_host: self.authority_host(),
        }
    }

    /// Returns what our clients in this process need.
    ///
    /// # Panics
    ///
    /// If no client can be made.
    pub fn azure(&self) -> Azure {
        let identity = Identity::Workload(self.workload_identity());
        Azure::new(identity, self.http_client()).expect("a client")
    }

    /// Returns the file of the federated token of [`workload_identity`](Self::workload_identity).
    pub fn token_file(&self) -> PathBuf {
        token_file(self.folder.path())
    }

    /// Writes a federated token and the root certificate into `folder`, and returns what a pod with the
    /// webhook's variables would have: everything a program needs to use `payload-key`.
    ///
    /// # Panics
    ///
    /// If the files cannot be written.
    pub fn environment(&self, folder: &Path) -> Vec<(String, String)> {
        let token_file = token_file(folder);
        let ca_file = folder.join("azure-root.pem");
        self.write_token(&token_file);
        std::fs::write(&ca_file, &self.root).expect("a certificate can be written");
        [
            ("KEYVAULT_URL", VAULT_URL.to_owned()),
            ("KEYVAULT_SECRET_NAME", SECRET.to_owned()),
            ("KEYVAULT_CA_FILE", ca_file.display().to_string()),
            ("AZURE_TENANT_ID", TENANT_ID.to_owned()),
            ("AZURE_CLIENT_ID", CLIENT_ID.to_owned()),
            (
                "AZURE_FEDERATED_TOKEN_FILE",
                token_file.display().to_string(),
            ),
            ("AZURE_AUTHORITY_HOST", self.authority_host().to_string()),
            ("HTTPS_PROXY", self.proxy_url()),
            ("NO_PROXY", "127.0.0.1,localhost".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

impl Drop for FakeAzure {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

/// Returns where [`FakeAzure::environment`] puts the federated token.
pub fn token_file(folder: &Path) -> PathBuf {
    folder.join("azure-identity-token")
}

fn run(
    listener: std::net::TcpListener,
    acceptor: TlsAcceptor,
    shared: Arc<Shared>,
    stopped: oneshot::Receiver<()>,
) {
    let served = || -> anyhow::Result<()> {
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let listener = TcpListener::from_std(listener).context("no listener")?;
            tokio::select! {
                () = listener::serve(listener, acceptor, shared) => {}
                _ = stopped => {}
            }
            Ok(())
        })
    };
    if let Err(error) = served() {
        eprintln!("the fake Azure does not run: {error:#}");
    }
}
