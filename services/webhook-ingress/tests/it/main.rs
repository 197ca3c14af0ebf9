//! Hooks, from the request to the durable event.
#![expect(clippy::unwrap_used, reason = "tests say by panic what went wrong")]

mod accepting;
mod bodies;
mod brokers;
mod catalog;
mod events;
mod house;
mod memory;
mod partners;
mod peers;
mod refusing;
mod several;
