//! What tests share. No production crate depends on it.

mod ground;

pub use ground::ground;
