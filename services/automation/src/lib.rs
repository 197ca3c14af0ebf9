//! The automation service: automations, their versions, and the sources that start them.
//!
//! A definition is edited as a draft and frozen by publish. Others follow by revision: every change that they must see
//! raises one counter in the transaction that makes it.

mod definition;
mod domain;
mod error;
mod grpc;
mod operations;
mod peers;
pub mod role;
mod rows;
mod store;
mod telemetry;
mod validation;

pub use error::Error;
pub use store::migrate;
