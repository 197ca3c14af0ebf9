//! What tests share. No production crate depends on it.

mod ground;
pub mod http;
mod wait;

pub use ground::ground;
pub use wait::wait_for;
