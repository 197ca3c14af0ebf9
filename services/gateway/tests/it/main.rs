//! The public HTTP API, from the request to what the peers are asked.
#![expect(clippy::unwrap_used, reason = "tests say by panic what went wrong")]

mod api;
mod bad_requests;
mod connections;
mod connectors;
mod events;
mod house;
mod idempotency;
mod login;
mod outages;
mod peers;
