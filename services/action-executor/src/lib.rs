//! The `action-executor` service: claims events, runs the steps of automations, settles them into history.

mod attempt;
mod batch;
mod cap;
mod claim;
pub mod config;
mod definitions;
mod desk;
mod error;
mod event;
mod executor;
mod gate;
mod grpc;
mod intake;
mod lease;
mod letters;
mod plan;
mod revive;
pub mod role;
mod rows;
mod run;
mod slots;
mod steps;
mod store;
mod telemetry;
mod tell;
mod view;
mod wake;
mod workers;
mod writer;

pub use desk::Desk;
pub use error::Error;
pub use store::migrate;
