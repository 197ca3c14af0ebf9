//! Whole connectors: from manifest to request and outcome.

mod altcraft;
mod coercion;
mod connection;
mod input;
mod manifest;
mod request;
