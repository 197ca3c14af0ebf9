//! The gateway service: it knows users, workspaces and API tokens, and shapes the public HTTP API. What the API shows
//! belongs to its peers, which it asks in the name of the caller's workspace.

mod brake;
mod cloud_event;
mod config;
mod domain;
mod error;
mod http;
mod passwords;
pub mod role;
mod sessions;
mod store;
mod token;
pub mod users;
pub mod view;
mod workers;

pub use config::Config;
pub use error::Error;
pub use role::Peers;
pub use store::migrate;
