//! An in-memory stand-in for partners, for demos, connector authors and tests: it answers as they do, and can be asked
//! to misbehave.
//!
//! | path | what |
//! | --- | --- |
//! | `/api/v1.1/*`, `/api/integrations/any/profile_import` | Altcraft: lists, profiles, scenarios, mailings, goals |
//! | `/crm/*` | a small CRM: contacts, custom fields, signed webhooks |
//! | `/_/requests`, `/_/altcraft/…`, `/_/crm/…` | what arrived and what became of it |
//! | `/_/faults` | how the next requests go wrong |
//! | `/_/reset`, `/_/healthz` | back to the start; whether it is up |
//!
//! Every other path is recorded too, open to faults, and answered with 404.

mod altcraft;
mod call;
mod crm;
mod faults;
mod inspection;
mod partner;
mod requests;
mod ring;
mod server;
mod state;

pub use crm::WebhookError;
pub use server::Sandbox;
