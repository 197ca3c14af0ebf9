//! An in-memory stand-in for partners, for demos, connector authors and tests: it answers as they do, and can be asked
//! to misbehave.
//!
//! | path | what |
//! | --- | --- |
//! | `/api/v1.1/*` | Altcraft: lists, profiles, scenarios |
//! | `/_/requests`, `/_/altcraft/…` | what arrived and what became of it |
//! | `/_/faults` | how the next requests go wrong |
//! | `/_/reset`, `/_/healthz` | back to the start; whether it is up |
//!
//! Every other path is recorded too, open to faults, and answered with 404.

mod altcraft;
mod call;
mod faults;
mod inspection;
mod partner;
mod requests;
mod ring;
mod server;
mod state;

pub use server::Sandbox;
