//! The partner's side of an exchange.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use patchbay_egress::{Kind, Response, SendError, Sent};

use super::document::{FailureKind, ResponseSection};

/// The answer that a case gives, or the lack of one.
pub(super) fn answer(section: &ResponseSection) -> Result<Response, SendError> {
    if let Some(failure) = section.failure {
        return Err(unanswered(failure, section.sent));
    }
    let mut headers = HeaderMap::new();
    for (name, value) in &section.headers {
        // Names and values that no header can carry were refused when the file was read.
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            headers.append(name, value);
        }
    }
    let body = match (&section.json, &section.text) {
        (Some(json), _) => {
            headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
            Bytes::from(json.to_string())
        }
        (None, Some(text)) => Bytes::from(text.clone()),
        (None, None) => Bytes::new(),
    };
    Ok(Response { status: section.status.unwrap_or(200), headers, body })
}

fn unanswered(failure: FailureKind, sent: Option<bool>) -> SendError {
    let (kind, usually_sent, message) = match failure {
        FailureKind::Timeout => (Kind::Timeout, true, "host partner.test gave no complete answer within 10s"),
        FailureKind::Reset => (Kind::Reset, true, "the exchange with host partner.test broke off"),
        FailureKind::Connect => (Kind::Connect, false, "host partner.test could not be connected to"),
        FailureKind::Dns => (Kind::Dns, false, "host partner.test could not be resolved"),
        FailureKind::Tls => (Kind::Tls, false, "tls handshake with host partner.test failed"),
        FailureKind::TooLarge => {
            (Kind::TooLarge, true, "the answer of host partner.test is larger than 16777216 bytes")
        }
    };
    let sent = if sent.unwrap_or(usually_sent) { Sent::Maybe } else { Sent::No };
    SendError::new(kind, sent, message)
}
