//! The whole house: its architecture, and what it does as one.

#![expect(clippy::unwrap_used, reason = "tests say by panic what went wrong")]
#![expect(clippy::disallowed_methods, reason = "tests look at processes from outside")]

mod architecture;
mod backlog;
mod bad_input;
mod chaos;
mod crash;
mod disk;
mod frozen;
mod house;
mod ledger;
mod main_job;
mod mesh;
mod misconfigured;
mod outage;
mod scenario;
