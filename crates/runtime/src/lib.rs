//! The ground that every role stands on: configuration, telemetry, clock, named tasks, shutdown, backoff, the data directory.

pub mod backoff;
mod clock;
pub mod config;
pub mod data_directory;
mod tasks;
pub mod telemetry;

pub use clock::Clock;
pub use data_directory::DataDirectory;
pub use tasks::{Shutdown, Tasks};
