//! The broker port and its adapters: how messages travel between services, at least once.
//!
//! [`Broker`] and [`Consumer`] are the port, with the contract in words. [`embedded`] keeps the messages in files of this
//! process. Every adapter passes the suite in `contract` (behind the feature of that name).

#[cfg(feature = "contract")]
pub mod contract;
pub mod dead_letter;
mod delivery;
pub mod embedded;
mod error;
mod port;
pub mod rabbitmq;

pub use delivery::{Delivery, Receipt, Settle};
pub use error::{Error, PublishError};
pub use port::{Broker, Consumer, Message, Progress};
