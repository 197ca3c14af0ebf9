//! The webhook-ingress service: a request on a hook URL becomes one durable event before it is answered.
//!
//! No database on this path: hook tokens prove themselves, sources are known in memory by revision, and the answer waits
//! for the broker alone. Who sends for a partner's trigger is verified with its connection, on loan for minutes.

mod arrival;
mod body;
mod canonical;
mod config;
mod domain;
mod error;
mod event;
mod form;
mod grpc;
mod http;
mod identity;
mod media;
mod meta;
mod multipart;
mod partner;
mod published;
mod received;
pub mod role;
mod sources;
mod tail;
mod telemetry;
mod workers;
mod workshop;
mod xml;

pub use config::Config;
pub use error::Error;
