//! The connection service: who may reach which account of which partner, and with what.
//!
//! It alone seals and opens credentials. Other services ask it for one, and learn by revision what has changed.

mod domain;
mod error;
mod fields;
mod grpc;
mod operations;
pub mod role;
mod store;
mod telemetry;

pub use error::Error;
