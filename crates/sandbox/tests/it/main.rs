//! The sandbox over real connections.

mod altcraft_lists;
mod altcraft_matching;
mod altcraft_profiles;
mod altcraft_token;
mod altcraft_workflows;
mod faults;
mod inspection;
mod server;
mod support;
