//! The adapter of RabbitMQ against the contract, and against what networks, servers and operators do.

mod bounds;
mod contract;
mod networks;
mod operators;
mod rate;
mod servers;
mod support;
mod tls;
