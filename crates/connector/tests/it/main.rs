//! Whole connectors: from manifest to request and outcome.

#![expect(clippy::unwrap_used, reason = "a test that can't go on should panic, in its helpers too")]

mod altcraft;
mod broken;
mod bytes;
mod calls;
mod coercion;
mod connection;
mod fields;
mod input;
mod lists;
mod manifest;
mod mistakes;
mod replay;
mod request;
mod rows;
mod schema;
mod support;
mod triggers;
