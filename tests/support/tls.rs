//! Certificates of our own, and a TLS front before the dev server, which itself speaks plaintext only.

use std::{net::SocketAddr, path::Path, sync::Arc};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
};
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
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let names = &mut params.distinguished_name;
        names.push(DnType::CommonName, "Sealane test root");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        Ok(Self { issuer })
    }

    /// Returns the certificate that clients have to trust, as PEM.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// Writes `ca.pem`, and `client.pem` with `client.key`, into `folder`.
    ///
    /// # Errors
    ///
    /// If they cannot be written.
    pub fn write_client_files(&self, folder: &Path) -> anyhow::Result<()> {
        std::fs::write(folder.join("ca.pem"), self.issuer.pem())?;
        let (certificate, key) = self.issue(&["client"])?;
        std::fs::write(folder.join("client.pem"), certificate.pem())?;
        std::fs::write(folder.join("client.key"), key.serialize_pem())?;
        Ok(())
    }

    /// Writes the certificate and the key of a server called `names` into `folder`, as `server.pem` and
    /// `server.key`.
    ///
    /// # Errors
    ///
    /// If they cannot be written.
    pub fn write_server_files(&self, folder: &Path, names: &[&str]) -> anyhow::Result<()> {
        let (certificate, key) = self.issue(names)?;
        std::fs::write(folder.join("server.pem"), certificate.pem())?;
        std::fs::write(folder.join("server.key"), key.serialize_pem())?;
        Ok(())
    }

    /// OpenSSL takes a certificate whose subject is its issuer's for one that signed itself, and since
    /// Python 3.13 it wants to see the issuer's key identifier.
    fn issue(&self, names: &[&str]) -> anyhow::Result<(rcgen::Certificate, KeyPair)> {
        let key = KeyPair::generate()?;
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names)?;
        params.use_authority_key_identifier_extension = true;
        let subject = &mut params.distinguished_name;
        subject.push(DnType::CommonName, "Sealane test certificate");
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok((certificate, key))
    }

    /// Returns what a server called `names` needs to speak HTTP/1.1 over TLS.
    ///
    /// # Errors
    ///
    /// If no key can be generated.
    pub fn http_server(&self, names: &[&str]) -> anyhow::Result<TlsAcceptor> {
        let (certificate, key) = self.issue(names)?;
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth();
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
        let mut config = config.with_single_cert(vec![certificate.der().clone()], key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
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
        let (certificate, key) = self.issue(&[SERVER_NAME])?;
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
