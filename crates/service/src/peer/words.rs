//! Errors of connections as people say them.

use std::{error::Error, io};

use rustls::{AlertDescription, CertificateError, InvalidMessage};

use super::state::Trouble;

/// What is wrong with a peer that can't be connected to.
pub(crate) fn unreachable(error: &io::Error) -> Trouble {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(error) => of_tls(error),
        None => Trouble::unreachable(of_io(error)),
    }
}

/// What an error is about at its bottom.
pub(crate) fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.downcast_ref::<io::Error>().map_or_else(|| innermost.to_string(), of_io)
}

fn of_io(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::UnexpectedEof => "connection closed".to_owned(),
        // The operating system's own words end with a number that says nothing to people.
        kind if error.raw_os_error().is_some() && kind.to_string() != "uncategorized error" => kind.to_string(),
        _ => error.to_string(),
    }
}

fn of_tls(error: &rustls::Error) -> Trouble {
    match error {
        rustls::Error::InvalidCertificate(reason) => Trouble::new("can't be trusted", of_certificate(reason)),
        rustls::Error::AlertReceived(alert) => of_alert(*alert),
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            Trouble::new("does not speak TLS", "write http://, or set service_auth.certificate there")
        }
        other => Trouble::unreachable(other.to_string()),
    }
}

fn of_certificate(reason: &CertificateError) -> String {
    match reason {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "its certificate has expired".to_owned(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet".to_owned()
        }
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "its certificate was not made by the authority in service_auth.authority".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "its certificate is for another name".to_owned()
        }
        other => format!("its certificate: {other}"),
    }
}

fn of_alert(alert: AlertDescription) -> Trouble {
    let refuses = "refuses our certificate";
    match alert {
        AlertDescription::CertificateExpired => Trouble::new(refuses, "it has expired"),
        AlertDescription::UnknownCA | AlertDescription::DecryptError => {
            Trouble::new(refuses, "it was not made by the authority in its service_auth.authority")
        }
        AlertDescription::CertificateRequired => Trouble::new("refuses us", "it asks for a certificate"),
        AlertDescription::NoApplicationProtocol => Trouble::new("is no gRPC listener", "it speaks no HTTP/2"),
        other => Trouble::new("refuses our TLS", format!("{other:?}")),
    }
}
