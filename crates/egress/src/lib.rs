//! Outbound HTTP with its guards: the only room that names the HTTP client.
//!
//! [`Egress::send`] performs one HTTP/1.1 exchange and says exactly how it ended. A complete answer, whatever its
//! status, is a [`Response`]; redirects are answers like others unless the request allows [`Redirects`]. Everything else is
//! a [`SendError`] that names what failed ([`Kind`]) and whether the partner may have seen the request ([`Sent`]).
//!
//! What always holds:
//!
//! - A connection is opened only to an address that the guard has checked, so neither a literal address nor a name
//!   that changes its answer between check and connect reaches the inside. Private ranges are open only to
//!   [`AllowRule`]s, cloud metadata to nobody. Environment proxies are ignored.
//! - Every hop of a redirect is guarded like the first; credentials never reach another origin, and https never becomes http.
//! - Every exchange ends: connecting has its own timeout, the whole exchange another; heads and bodies of both directions
//!   have a limit, which for packed answers is that of the unpacked body.
//! - `Debug` of requests and answers shows no header value, no body and no query.

mod allow;
mod body;
mod carried;
mod client;
mod connector;
mod error;
#[cfg(test)]
mod fuzz_tests;
mod guard;
mod gzip;
#[cfg(test)]
mod rebinding_tests;
mod redirect;
mod request;
mod stream;
mod streamed;
mod target;
#[cfg(test)]
mod tls_tests;

pub use allow::{AllowRule, ParseAllowRuleError};
pub use client::{Egress, Options};
pub use error::{Error, Kind, SendError, Sent};
pub use request::{Redirects, Request, Response};
pub use streamed::Streamed;
pub use target::destination;
