//! Outbound HTTP with its guards: the only room that names the HTTP client.
//!
//! [`Egress::send`] performs one HTTP/1.1 exchange and says exactly how it ended. A complete answer, whatever its
//! status, is a [`Response`]; redirects are answers like others and are never followed. Everything else is a
//! [`SendError`] that names what failed ([`Kind`]) and whether the partner may have seen the request ([`Sent`]).
//!
//! What always holds:
//!
//! - A connection is opened only to an address that the guard has checked, so neither a literal address nor a name
//!   that changes its answer between check and connect reaches the inside. Private ranges are open only to
//!   [`AllowRule`]s, cloud metadata to nobody. Environment proxies are ignored.
//! - Every exchange ends: connecting has its own timeout, the whole exchange another, bodies of both directions a limit.
//! - `Debug` of requests and answers shows no header value, no body and no query.

mod allow;
mod body;
mod client;
mod connector;
mod error;
mod guard;
mod request;
mod stream;
mod target;
#[cfg(test)]
mod tls_tests;

pub use allow::{AllowRule, ParseAllowRuleError};
pub use client::{Egress, Options};
pub use error::{Error, Kind, SendError, Sent};
pub use request::{Request, Response};
