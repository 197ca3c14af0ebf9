//! What tests share. No production crate depends on it.
//!
//! [`ground`] is what a role stands on, by the environment: files of its own (SQLite and the embedded broker), or a schema
//! and a prefix of its own on servers that all tests share. [`instances`] are servers for one test alone, which may kill
//! them; [`proxy`] is a network that can be cut.

mod broker;
mod ground;
pub mod http;
pub mod instances;
pub mod proxy;
mod services;
mod wait;

pub use ground::{ground, mortal_ground};
pub use services::{BrokerKind, StoreKind, amqp, broker_kind, postgres_url, store_kind, store_url};
pub use wait::wait_for;
