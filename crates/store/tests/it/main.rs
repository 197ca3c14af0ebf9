//! The engines themselves: what is true of both runs on the one that `PATCHBAY_TEST_STORE` names.
#![expect(clippy::unwrap_used, reason = "tests say by panic what went wrong")]

mod house;
mod migrating;
mod outages;
mod refusing;
mod sizes;
mod transactions;
mod transport;
