//! A TLS front before the dev server, which itself speaks plaintext only.

use std::{net::SocketAddr, path::Path, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer},
        server::WebPkiClientVerifier,
    },
};

/// The name in the server's certificate; the address says `127.0.0.1`, which is not in it.
pub const SERVER_NAME: &str = "temporal.test";

/// A certificate authority and what it has issued, as PEM files in a folder.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    /// Returns a new authority.
    ///
    /// # Errors
    ///
    /// If no key can be generated.
    pub fn new() -> anyhow::Result<Self> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        Ok(Self { issuer })
    }

    /// Writes `ca.pem`, and `client.pem` with `client.key`, into `folder`.
    ///
    /// # Errors
    ///
    /// If they cannot be written.
    pub fn write_client_files(&self, folder: &Path) -> anyhow::Result<()> {
        std::fs::write(folder.join("ca.pem"), self.issuer.pem())?;
        let (certificate, key) = self.issue("client")?;
        std::fs::write(folder.join("client.pem"), certificate.pem())?;
        std::fs::write(folder.join("client.key"), key.serialize_pem())?;
        Ok(())
    }

    fn issue(&self, name: &str) -> anyhow::Result<(rcgen::Certificate, KeyPair)> {
        let key = KeyPair::generate()?;
        let certificate =
            CertificateParams::new(vec![name.to_owned()])?.signed_by(&key, &self.issuer)?;
        Ok((certificate, key))
    }

    /// Starts a front for `server` (`host:port`), which asks for a client certificate if `mutual`.
    ///
    /// # Errors
    ///
    /// If it cannot listen.
    pub async fn front(&self, server: &str, mutual: bool) -> anyhow::Result<SocketAddr> {
        let acceptor = TlsAcceptor::from(Arc::new(self.server_config(mutual)?));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let server = server.to_owned();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(relay(acceptor.clone(), stream, server.clone()));
            }
        });
        Ok(address)
    }

    fn server_config(&self, mutual: bool) -> anyhow::Result<ServerConfig> {
        let (certificate, key) = self.issue(SERVER_NAME)?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?;
        let builder = if mutual {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from(self.issuer.der().to_vec()))?;
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build()?;
            builder.with_client_cert_verifier(verifier)
        } else {
            builder.with_no_client_auth()
        };
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
        let mut config = builder.with_single_cert(vec![certificate.der().clone()], key)?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(config)
    }
}

/// Refused handshakes are the client's to report.
async fn relay(acceptor: TlsAcceptor, stream: TcpStream, server: String) -> std::io::Result<()> {
    let mut outside = acceptor.accept(stream).await?;
    let mut inside = TcpStream::connect(server).await?;
    tokio::io::copy_bidirectional(&mut outside, &mut inside).await?;
    Ok(())
}
