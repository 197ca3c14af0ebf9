//! The certificate that a process shows its peers, and the authority that it believes.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use patchbay_runtime::Clock;
use patchbay_types::Timestamp;
use rustls::{
    CertificateError, ClientConfig, RootCertStore, ServerConfig,
    client::{Resumption, verify_server_cert_signed_by_trust_anchor},
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, UnixTime, pem::PemObject},
    server::{NoServerSessionStorage, ParsedCertificate, WebPkiClientVerifier, danger::ClientCertVerifier},
    sign::CertifiedKey,
    version::TLS13,
};

use super::Error;
use crate::Check;

/// How early an end is announced.
const ANNOUNCED: Duration = Duration::from_secs(7 * 24 * 3600);
const A_DAY: Duration = Duration::from_secs(24 * 3600);

/// TLS between peers. It is mutual: each end shows its certificate and checks the other's.
#[derive(Clone)]
pub struct Tls {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
    certificate: Arc<Certificate>,
}

impl Tls {
    /// Reads PEM files: the certificate (with intermediate ones, if any), its key, and the authorities whose
    /// certificates are believed.
    ///
    /// # Errors
    /// When a file can't be used, when key and certificate are no pair, or when peers would refuse the certificate:
    /// because of the time, or because the authority did not make it.
    pub fn load(certificate: &Path, key: &Path, authority: &Path) -> Result<Self, Error> {
        let provider = Arc::new(ring::default_provider());
        let roots = Arc::new(roots(authority)?);
        let chain = certificates(certificate)?;
        let private = private_key(key)?;
        pair(&chain, &private, &provider, (certificate, key))?;

        let refused = |reason: rustls::Error| Error::Unusable {
            path: certificate.to_owned(),
            what: "certificate",
            reason: reason.to_string(),
        };
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider)).build().map_err(
                |error| Error::Unusable { path: authority.to_owned(), what: "certificate", reason: error.to_string() },
            )?;
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&TLS13])
            .map_err(refused)?
            .with_client_cert_verifier(Arc::clone(&verifier))
            .with_single_cert(chain.clone(), private.clone_key())
            .map_err(refused)?;
        let client = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&TLS13])
            .map_err(refused)?
            .with_root_certificates(Arc::clone(&roots))
            .with_client_auth_cert(chain.clone(), private)
            .map_err(refused)?;

        let path = certificate.to_owned();
        let certificate = Certificate { path, chain, roots, provider, verifier, announced: AtomicI64::new(i64::MIN) };
        certificate
            .verify(Clock::system().now())
            .map_err(|error| Error::Certificate { path: certificate.path.clone(), reason: reason(&error) })?;
        Ok(Self { client: speaking(client), server: answering(server), certificate: Arc::new(certificate) })
    }

    /// The check `certificate`: it fails when the certificate is not valid any more. That it ends within seven days is
    /// logged once a day.
    #[must_use]
    pub fn check(&self, clock: Clock) -> Check {
        let certificate = Arc::clone(&self.certificate);
        Check::new("certificate", move || certificate.holds(clock.now()))
    }

    pub(crate) fn client(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.client)
    }

    pub(crate) fn server(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.server)
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Tls").field(&self.certificate.path).finish()
    }
}

/// No session is resumed, so that every connection looks at both certificates.
fn speaking(mut client: ClientConfig) -> Arc<ClientConfig> {
    client.alpn_protocols.push(b"h2".to_vec());
    client.resumption = Resumption::disabled();
    Arc::new(client)
}

fn answering(mut server: ServerConfig) -> Arc<ServerConfig> {
    server.alpn_protocols.push(b"h2".to_vec());
    server.session_storage = Arc::new(NoServerSessionStorage {});
    server.send_tls13_tickets = 0;
    Arc::new(server)
}

/// What peers look at.
struct Certificate {
    path: PathBuf,
    chain: Vec<CertificateDer<'static>>,
    roots: Arc<RootCertStore>,
    provider: Arc<CryptoProvider>,
    verifier: Arc<dyn ClientCertVerifier>,
    /// When its end was last announced, in microseconds.
    announced: AtomicI64,
}

impl Certificate {
    /// What peers would say of it at `time`, when they call and when they are called.
    fn verify(&self, time: Timestamp) -> Result<(), rustls::Error> {
        let Some((own, others)) = self.chain.split_first() else { return Ok(()) };
        let since_epoch = Duration::from_micros(u64::try_from(time.as_micros()).unwrap_or(0));
        let time = UnixTime::since_unix_epoch(since_epoch);
        self.verifier.verify_client_cert(own, others, time)?;
        let parsed = ParsedCertificate::try_from(own)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&parsed, &self.roots, others, time, algorithms)
    }

    fn holds(&self, now: Timestamp) -> Result<(), String> {
        if let Err(error) = self.verify(now) {
            let (path, reason) = (self.path.display(), reason(&error));
            return Err(format!("the certificate in {path} {reason}; put a new one there and restart"));
        }
        if let Err(error) = self.verify(now.after(ANNOUNCED)) {
            self.announce(now, &reason(&error));
        }
        Ok(())
    }

    fn announce(&self, now: Timestamp, reason: &str) {
        let last = self.announced.load(Ordering::Relaxed);
        let due = now.before(A_DAY).as_micros() >= last;
        if due && self.announced.compare_exchange(last, now.as_micros(), Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            // Looked at as of a week from now.
            let reason = reason.replace("has expired at", "it expires at");
            tracing::warn!(path = %self.path.display(), reason, "within a week peers will refuse the certificate");
        }
    }
}

/// The end of a sentence that begins with the certificate.
fn reason(error: &rustls::Error) -> String {
    let at = |time: UnixTime| {
        let micros = i64::try_from(time.as_secs()).unwrap_or(i64::MAX).saturating_mul(1_000_000);
        Timestamp::from_micros(micros)
    };
    let rustls::Error::InvalidCertificate(reason) = error else { return format!("can't be used: {error}") };
    match reason {
        CertificateError::ExpiredContext { not_after, .. } => format!("has expired at {}", at(*not_after)),
        CertificateError::NotValidYetContext { not_before, .. } => format!("is not valid before {}", at(*not_before)),
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "was not made by the authority in service_auth.authority".to_owned()
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "must be for servers and for clients (extended key usage)".to_owned()
        }
        other => format!("can't be used: {other}"),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|reason| Error::File { path: path.to_owned(), reason })
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let what = "certificate";
    let text = read(path)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let chain = chain.map_err(|error| Error::Unusable { path: path.to_owned(), what, reason: error.to_string() })?;
    if chain.is_empty() {
        return Err(Error::Empty { path: path.to_owned(), what });
    }
    Ok(chain)
}

fn roots(path: &Path) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|error| Error::Unusable {
            path: path.to_owned(),
            what: "certificate",
            reason: error.to_string(),
        })?;
    }
    Ok(roots)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, Error> {
    let text = zeroize::Zeroizing::new(read(path)?);
    // What is wrong with it is not repeated: it could be a part of it.
    PrivateKeyDer::from_pem_slice(&text).map_err(|_| Error::Empty { path: path.to_owned(), what: "private key" })
}

fn pair(
    chain: &[CertificateDer<'static>],
    private: &PrivateKeyDer<'static>,
    provider: &CryptoProvider,
    (certificate, key): (&Path, &Path),
) -> Result<(), Error> {
    match CertifiedKey::from_der(chain.to_vec(), private.clone_key(), provider) {
        Ok(_) => Ok(()),
        Err(rustls::Error::InconsistentKeys(_)) => {
            Err(Error::OtherKey { key: key.to_owned(), certificate: certificate.to_owned() })
        }
        Err(error) => Err(Error::Unusable {
            path: if matches!(error, rustls::Error::InvalidCertificate(_)) { certificate } else { key }.to_owned(),
            what: if matches!(error, rustls::Error::InvalidCertificate(_)) { "certificate" } else { "private key" },
            reason: error.to_string(),
        }),
    }
}
