//! The catalog service over a real database and a partner that listens.
#![expect(clippy::unwrap_used, reason = "tests say by panic what went wrong")]

mod browsing;
mod forms;
mod house;
mod keeping;
mod partner;
mod peers;
mod refreshing;
mod tenants;
mod trouble;
