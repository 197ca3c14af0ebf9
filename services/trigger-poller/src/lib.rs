//! The trigger-poller service: it knows the sources that partners are to be asked for on a schedule.
//!
//! Nothing is polled in this version: automations with a trigger of the mode `poll` can't be published. The role follows
//! the sources of `automation` by revision, counts those of that mode, and is ready when it can read them.

mod config;
mod error;
pub mod role;
mod sources;
mod telemetry;
mod workers;

pub use config::Config;
pub use error::Error;
