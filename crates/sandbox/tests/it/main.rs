//! The sandbox over real connections.

mod altcraft_batches;
mod altcraft_formats;
mod altcraft_goals;
mod altcraft_lists;
mod altcraft_matching;
mod altcraft_profiles;
mod altcraft_quick;
mod altcraft_reading;
mod altcraft_rights;
mod altcraft_segments;
mod altcraft_starting;
mod altcraft_subscriptions;
mod altcraft_token;
mod altcraft_triggers;
mod altcraft_updates;
mod altcraft_workflows;
mod crm_contacts;
mod crm_deliveries;
mod crm_pages;
mod crm_refusals;
mod crm_support;
mod crm_webhooks;
mod faults;
mod inspection;
mod server;
mod support;
