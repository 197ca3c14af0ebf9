//! The connection service: who may reach which account of which partner, and with what.
//!
//! It alone seals and opens credentials. Other services ask it for one, and learn by revision what has changed. It proves a
//! connection by a call to the partner when a person asks for that.

mod config;
mod domain;
mod error;
mod fields;
mod grpc;
mod operations;
pub mod role;
mod store;
mod telemetry;
mod verdict;

pub use config::Config;
pub use error::Error;
pub use store::migrate;
