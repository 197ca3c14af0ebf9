//! Automations, through the clients that other services use.
#![expect(clippy::unwrap_used, reason = "tests say by panic what went wrong")]

mod catalog;
mod events;
mod following;
mod house;
mod life;
mod listing;
mod partners;
mod peers;
mod several;
mod sources;
mod tenants;
mod validation;
