//! The way to a role in another process.
//!
//! A [`Peer`] is made without waiting for anybody: names are resolved and connections are made in the background, and
//! again whenever they are lost. Every address that a name resolves to is asked for its health; calls go in turn to those
//! that answer, first of all to those that are ready.
//!
//! What was never sent is sent to another address, or again. What may have been sent is repeated only when its method is
//! declared safe to repeat ([`Method::repeatable`](patchbay_proto::Method)).
//!
//! A peer that is up but not ready counts as there: processes that wait for each other would never begin otherwise.
//! Whether it can do what it is asked shows in its answers.

mod address;
mod call;
mod dial;
mod error;
mod link;
mod pool;
mod probe;
mod state;
mod words;

use std::{sync::Arc, time::Duration};

use patchbay_proto::Route;
use patchbay_runtime::{Tasks, config::duration};
use serde::Deserialize;

pub use self::{address::Address, error::Error};
use self::{call::Caller, pool::Pool};
use crate::{Check, Role, access::Access};

/// How peers are called; the section `calls`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The longest that a call may take, repetitions included, unless its caller says otherwise; of a stream, until it begins.
    #[serde(deserialize_with = "duration::deserialize")]
    pub timeout: Duration,
    /// The longest that a connection, or an answer about health, may take.
    #[serde(deserialize_with = "duration::deserialize")]
    pub connect_timeout: Duration,
    /// How often a connection is tested, and how long the answer may take.
    #[serde(deserialize_with = "duration::deserialize")]
    pub keepalive: Duration,
    /// How often names are resolved.
    #[serde(deserialize_with = "duration::deserialize")]
    pub resolve_every: Duration,
    /// How often each address is asked for its health.
    #[serde(deserialize_with = "duration::deserialize")]
    pub probe_every: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(2),
            keepalive: Duration::from_secs(5),
            resolve_every: Duration::from_secs(5),
            probe_every: Duration::from_secs(1),
        }
    }
}

/// A role in another process.
#[derive(Debug)]
pub struct Peer {
    /// The way to its services.
    pub route: Route,
    /// Whether it can be reached and lets us in. It says why when not.
    pub check: Check,
}

/// The way to `role` at `address`. Never waits for it: it may start later.
///
/// # Errors
/// When the address needs TLS and there is none.
pub fn connect(
    role: Role,
    address: &Address,
    access: &Access,
    options: &Options,
    tasks: &Tasks,
) -> Result<Peer, Error> {
    address.permitted(access.tls.is_some())?;
    let pool = Pool::open(role, address, access, options, tasks)?;
    let caller = Arc::new(Caller::new(role, Arc::clone(&pool), access.token.header(), options.timeout));
    let route = Route::remote(move |request| Arc::clone(&caller).call(request));
    let check = Check::new(role.check(), move || pool.verdict());
    Ok(Peer { route, check })
}
