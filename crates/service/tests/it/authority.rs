//! An authority that makes the certificates that a test needs.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use patchbay_runtime::Clock;
use patchbay_service::access::{Error, Tls};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, date_time_ymd,
};
use tempfile::TempDir;

/// Its files live as long as it does.
pub(crate) struct Authority {
    folder: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        fs::write(folder.path().join("authority.pem"), pem("CERTIFICATE", issuer.der())).unwrap();
        Self { folder, issuer }
    }

    /// The file with its own certificate.
    pub(crate) fn file(&self) -> PathBuf {
        self.path("authority.pem")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A certificate for this machine, changed by `change`.
    pub(crate) fn issue(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Files {
        let mut params = CertificateParams::new(["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
        change(&mut params);
        let pair = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&pair, &self.issuer).unwrap();
        let files = Files { certificate: self.path(&format!("{name}.pem")), key: self.path(&format!("{name}.key")) };
        fs::write(&files.certificate, pem("CERTIFICATE", certificate.der())).unwrap();
        fs::write(&files.key, pem("PRIVATE KEY", &pair.serialize_der())).unwrap();
        files
    }

    /// What a process loads that believes this authority.
    pub(crate) fn load(&self, files: &Files) -> Result<Tls, Error> {
        load(files, &self.file())
    }

    /// A process with a good certificate.
    pub(crate) fn tls(&self) -> Tls {
        self.load(&self.issue("process", |_| ())).unwrap()
    }
}

pub(crate) fn load(files: &Files, authority: &Path) -> Result<Tls, Error> {
    Tls::load(&files.certificate, &files.key, authority)
}

/// Ends that long after now.
pub(crate) fn ending_in(time: Duration) -> impl FnOnce(&mut CertificateParams) {
    move |params| params.not_after = date_time_ymd(1970, 1, 1) + since_epoch() + time
}

/// Begins that long after now.
pub(crate) fn beginning_in(time: Duration) -> impl FnOnce(&mut CertificateParams) {
    move |params| params.not_before = date_time_ymd(1970, 1, 1) + since_epoch() + time
}

/// Ended before now.
pub(crate) fn ended(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2021, 1, 1);
}

pub(crate) fn only_for_servers(params: &mut CertificateParams) {
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
}

fn pem(label: &str, content: &[u8]) -> String {
    let lines: Vec<_> = STANDARD
        .encode(content)
        .into_bytes()
        .chunks(64)
        .map(|line| String::from_utf8(line.to_vec()).unwrap())
        .collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn since_epoch() -> Duration {
    Duration::from_micros(u64::try_from(Clock::system().now().as_micros()).unwrap())
}
