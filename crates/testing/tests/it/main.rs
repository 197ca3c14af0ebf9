//! What tests share, tested itself.
#![expect(clippy::unwrap_used, reason = "tests say by panic what went wrong")]

mod instances;
mod proxy;
