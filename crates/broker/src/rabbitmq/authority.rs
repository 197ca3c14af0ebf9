//! Whom the broker's certificate must be from.

use std::fmt::{self, Debug, Formatter};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::Error;

/// The authorities that may sign the certificate of a broker, and nobody else.
#[derive(Clone)]
pub struct Authority {
    roots: Arc<RootCertStore>,
}

impl Authority {
    /// Reads their certificates from a PEM file. What else is in it, such as a key, is left alone.
    ///
    /// # Errors
    /// When the file can't be read ([`Error::Io`]), or has no certificate or an unusable one ([`Error::Authority`]).
    pub fn load(path: &Path) -> Result<Self, Error> {
        let text = fs::read(path).map_err(|error| Error::io("read", path, error))?;
        let unusable = |why: String| Error::Authority { path: path.to_path_buf(), why };
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&text) {
            // What is wrong with the text is not repeated: it could be a part of a key.
            let certificate = certificate.map_err(|_| unusable("is no well-formed PEM".to_owned()))?;
            let added = roots.add(certificate);
            added.map_err(|error| unusable(format!("has a certificate that can't be used: {error}")))?;
        }
        if roots.is_empty() {
            return Err(unusable("has no certificate in PEM (-----BEGIN CERTIFICATE-----)".to_owned()));
        }
        Ok(Self { roots: roots.into() })
    }

    /// Those that the system trusts.
    ///
    /// # Errors
    /// When it trusts none: why.
    pub(super) fn of_system() -> Result<Self, String> {
        let found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        // Systems carry some that are too old to be understood.
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            return Err(found.errors.first().map_or_else(|| "none is installed".to_owned(), ToString::to_string));
        }
        Ok(Self { roots: roots.into() })
    }

    pub(super) fn roots(&self) -> Arc<RootCertStore> {
        Arc::clone(&self.roots)
    }
}

impl Debug for Authority {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Authority").field("certificates", &self.roots.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(content: &[u8]) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), content).unwrap();
        let error = Authority::load(file.path()).unwrap_err().to_string();
        assert!(error.starts_with(&file.path().display().to_string()), "{error}");
        error
    }

    fn certificate() -> String {
        rcgen::generate_simple_self_signed(["mq.example".to_owned()]).unwrap().cert.pem()
    }

    #[test]
    fn takes_every_certificate_of_a_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), format!("# ours\n{}\n{}", certificate(), certificate())).unwrap();
        assert_eq!(Authority::load(file.path()).unwrap().roots.len(), 2);
    }

    #[test]
    fn refuses_a_file_without_a_usable_certificate_and_does_not_repeat_it() {
        let begin = "-----BEGIN CERTIFICATE-----\n";
        let cases: [(String, &str); 5] = [
            (String::new(), "has no certificate"),
            ("s3cret".to_owned(), "has no certificate"),
            (rcgen::KeyPair::generate().unwrap().serialize_pem(), "has no certificate"),
            (format!("{begin}s3cret, not base64\n-----END CERTIFICATE-----\n"), "is no well-formed PEM"),
            (format!("{begin}czNjcmV0\n-----END CERTIFICATE-----\n"), "has a certificate that can't be used"),
        ];
        for (content, words) in cases {
            let said = refusal(content.as_bytes());
            assert!(said.contains(words) && !said.contains("s3cret"), "{words}: {said}");
        }
        let cut = certificate();
        assert!(refusal(&cut.as_bytes()[..cut.len() / 2]).contains("PEM"));
        assert!(refusal(&[0x30, 0x82, 0xff, 0x00]).contains("has no certificate"));
    }

    #[test]
    fn names_a_file_that_can_not_be_read() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path().to_owned(), folder.path().join("nowhere.pem")] {
            let error = Authority::load(&path).unwrap_err();
            assert_eq!(error.to_string(), format!("cannot read {}", path.display()));
        }
    }
}
