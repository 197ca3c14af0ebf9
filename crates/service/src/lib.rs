//! What all services share.

pub mod access;
pub mod admin;
pub mod connections;
pub mod credentials;
mod ground;
pub mod grpc;
pub mod hook_token;
pub mod peer;
pub mod problem;
mod role;
mod socket;
pub mod status;

pub use ground::{Check, Ground, Installed, Verdict};
pub use role::{Role, UnknownRole};
