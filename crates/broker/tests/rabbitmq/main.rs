//! The adapter of RabbitMQ against the contract, and against what networks, servers and operators do.

#![expect(clippy::unwrap_used, reason = "tests")]

mod bounds;
mod contract;
mod instance;
mod networks;
mod operators;
mod proxy;
mod rate;
mod servers;
mod support;
