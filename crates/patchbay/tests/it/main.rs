//! The executable, as others meet it.

#![expect(clippy::unwrap_used, reason = "a test that can't go on says so by panic")]

mod configuration;
mod connectors;
mod demo;
mod life;
mod mesh;
mod operating;
mod process;
mod users;
