//! The webhook-ingress service: a request on a hook URL becomes one durable event before it is answered.
//!
//! No database on this path: hook tokens prove themselves, sources are known in memory by revision, and the answer waits
//! for the broker alone.

mod arrival;
mod body;
mod config;
mod domain;
mod error;
mod http;
mod identity;
mod media;
mod meta;
pub mod role;
mod sources;
mod telemetry;
mod workers;

pub use config::Config;
pub use error::Error;
