//! The whole house: its architecture, and what it does as one.

#![expect(clippy::unwrap_used, reason = "tests say by panic what went wrong")]
#![expect(clippy::disallowed_methods, reason = "tests look at processes from outside")]

mod architecture;
mod bad_input;
mod crash;
mod disk;
mod house;
mod main_job;
mod outage;
