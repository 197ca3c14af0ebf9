//! TLS with the broker, and what its errors mean.

use std::io;
use std::sync::Arc;

use lapin::uri::AMQPScheme;
use patchbay_types::Timestamp;
use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::pki_types::{ServerName, UnixTime};
use rustls::{AlertDescription, CertificateError, ClientConfig};

use super::address::Address;
use super::authority::Authority;
use super::options::Options;
use crate::Error;

/// A certificate may have hundreds.
const NAMES_SHOWN: usize = 4;

/// What the broker has to prove.
#[derive(Debug, Clone)]
pub(super) struct Tls {
    client: Arc<ClientConfig>,
    /// Whether an authority was named.
    is_named: bool,
}

impl Tls {
    /// For an address of `amqps://` only.
    pub(super) fn new(options: &Options, address: &Address) -> Result<Option<Self>, Error> {
        if address.uri().scheme == AMQPScheme::AMQP {
            return match options.authority {
                None => Ok(None),
                Some(_) => Err(Error::Address { why: "it is without TLS, but an authority is named".into() }),
            };
        }
        if ServerName::try_from(address.uri().authority.host.as_str()).is_err() {
            return Err(Error::Address { why: "no certificate can be for its host".into() });
        }
        let no_tls = |why: String| Error::Tls { at: address.to_string(), why };
        let system = || {
            Authority::of_system().map_err(|why| {
                no_tls(format!("this system trusts no authority ({why}); name the broker's in `broker.authority`"))
            })
        };
        let authority = options.authority.clone().map_or_else(system, Ok)?;
        let mut client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| no_tls(error.to_string()))?
            .with_root_certificates(authority.roots())
            .with_no_client_auth();
        // Every connection looks at the certificate.
        client.resumption = Resumption::disabled();
        Ok(Some(Self { client: client.into(), is_named: options.authority.is_some() }))
    }

    pub(super) fn client(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.client)
    }

    /// What only a person can change, if that is what an error at connecting is about: the end of a sentence.
    pub(super) fn reason(&self, error: &io::Error) -> Option<String> {
        let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
        Some(match error {
            rustls::Error::InvalidCertificate(error) => self.distrust(error),
            rustls::Error::InvalidMessage(_) => {
                "this port does not speak TLS; give the broker's port for TLS, or amqp:// to do without".to_owned()
            }
            rustls::Error::AlertReceived(AlertDescription::CertificateRequired) => {
                "the broker wants a certificate of its clients; set `ssl_options.fail_if_no_peer_cert` there to false"
                    .to_owned()
            }
            other => other.to_string(),
        })
    }

    fn distrust(&self, error: &CertificateError) -> String {
        match error {
            CertificateError::UnknownIssuer | CertificateError::BadSignature if self.is_named => {
                "the broker's certificate was not signed by the authority in `broker.authority`".to_owned()
            }
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                "the broker's certificate was signed by an authority that this system does not trust; name it in \
                 `broker.authority`"
                    .to_owned()
            }
            CertificateError::ExpiredContext { not_after, .. } => {
                format!("the broker's certificate has expired at {}; renew it", at(*not_after))
            }
            CertificateError::NotValidYetContext { not_before, .. } => {
                format!("the broker's certificate is not valid before {}; check the clocks", at(*not_before))
            }
            CertificateError::NotValidForNameContext { expected, presented } => {
                let (host, names) = (expected.to_str(), presented[..presented.len().min(NAMES_SHOWN)].join(", "));
                format!("the broker's certificate is not for host {host}, but for {names}; use a name that it is for")
            }
            other => format!("the broker's certificate can't be used: {other}"),
        }
    }
}

fn at(time: UnixTime) -> Timestamp {
    Timestamp::from_micros(i64::try_from(time.as_secs()).unwrap_or(i64::MAX).saturating_mul(1_000_000))
}
