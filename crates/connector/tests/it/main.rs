//! Whole connectors: from manifest to request and outcome.

#![expect(clippy::unwrap_used, reason = "a test that can't go on should panic, in its helpers too")]

mod altcraft;
mod coercion;
mod connection;
mod input;
mod manifest;
mod request;
