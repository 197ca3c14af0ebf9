//! The embedded broker against the contract, and against what disks and crashes do. RabbitMQ has a module of its own.

#![expect(clippy::unwrap_used, reason = "tests")]

mod bounds;
mod contract;
mod crashes;
mod disks;
mod histories;
mod letters;
mod rabbitmq;
mod support;
