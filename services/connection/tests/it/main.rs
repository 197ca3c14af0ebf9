//! The service by its gRPC clients.
#![expect(clippy::unwrap_used, reason = "tests say by panic what went wrong")]

mod fields;
mod house;
mod internal;
mod lifecycle;
mod partner;
mod proofs;
mod secrets;
mod several;
mod start;
mod switches;
mod workspaces;
