//! The catalog service: what partners can do, and what their accounts have.
//!
//! Partners, operations and fields come from the manifests. The lists of an account are asked from its partner when
//! somebody needs them, and kept for a while.

mod asking;
mod config;
mod domain;
mod error;
mod flights;
mod grpc;
mod inputs;
mod lists;
mod messages;
mod operations;
mod peers;
pub mod role;
mod store;
mod telemetry;
mod workers;

pub use config::Config;
pub use error::Error;
pub use store::migrate;
