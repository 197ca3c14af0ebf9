//! How a delivery proves where it comes from.

use hmac::{Hmac, Mac};
use patchbay_types::Timestamp;
use sha2::Sha256;

use crate::crm::webhooks::Secret;

/// Whole seconds since 1970.
pub(crate) fn timestamp(at: Timestamp) -> String {
    at.as_micros().div_euclid(1_000_000).to_string()
}

/// `sha256=` and the hex digits of HMAC-SHA-256 over the timestamp, a dot and the body.
pub(crate) fn signature(secret: &Secret, timestamp: &str, body: &[u8]) -> String {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length (RFC 2104, section 2)")]
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length");
    for part in [timestamp.as_bytes(), b".", body] {
        mac.update(part);
    }
    let digits: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={digits}")
}
