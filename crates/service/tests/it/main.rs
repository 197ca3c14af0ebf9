//! What services share, used as they use it.
#![expect(clippy::unwrap_used, reason = "tests say by panic what went wrong")]

mod credentials;
mod owner;
