//! The client against real servers on the loopback address that answer byte by byte.

#![expect(clippy::unwrap_used, reason = "a helper that can not go on fails its test")]

mod exchange;
mod guard;
mod limits;
mod packed;
mod proxies;
mod redirects;
mod sent;
mod server;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};
use patchbay_egress::{Egress, Kind, Options, Redirects, Request, SendError, Sent};

/// Longer than any exchange of these tests takes.
const LONG: Duration = Duration::from_secs(20);
/// Long enough to be reached only where nothing happens.
const SHORT: Duration = Duration::from_secs(1);

fn options() -> Options {
    Options { allow_private: vec!["127.0.0.1".parse().unwrap()], connect_timeout: LONG, ..Options::default() }
}

fn egress() -> Egress {
    Egress::new(options()).unwrap()
}

fn get(url: impl Into<String>) -> Request {
    Request {
        method: Method::GET,
        url: url.into(),
        headers: HeaderMap::new(),
        body: Bytes::new(),
        timeout: LONG,
        redirects: Redirects::default(),
    }
}

/// What a failed exchange says of itself.
fn failure(result: Result<patchbay_egress::Response, SendError>) -> (Kind, Sent, String) {
    let error = result.unwrap_err();
    (error.kind, error.sent, error.to_string())
}
