//! Hooks, from the request to the durable event.
#![expect(clippy::unwrap_used, reason = "tests say by panic what went wrong")]

mod accepting;
mod brokers;
mod house;
mod peers;
mod refusing;
