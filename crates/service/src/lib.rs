//! What all services share.

pub mod admin;
pub mod credentials;
mod ground;
pub mod hook_token;
pub mod problem;
pub mod status;

pub use ground::{Check, Ground, Installed};
