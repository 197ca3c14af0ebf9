//! One exchange in values: what is asked, and the complete answer.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};

/// One call to a partner.
#[derive(Clone)]
pub struct Request {
    /// The HTTP method.
    pub method: Method,
    /// An absolute http or https URL without user info.
    pub url: String,
    /// Headers to send. Those that frame the message (`Host`, `Content-Length`, `Connection` and the like) are set by
    /// the client and refused here.
    pub headers: HeaderMap,
    /// The body; empty for none.
    pub body: Bytes,
    /// How long the whole exchange may take, redirects included, from the call of `send` to the last byte of the answer.
    pub timeout: Duration,
    /// Which redirects are followed; by default none.
    pub redirects: Redirects,
}

/// Which redirects the client follows. One that it may not follow is the answer.
///
/// Never followed are redirects from https to http, to what is no callable URL, and, unless the method is safe and there
/// is no body, to another origin. Where the origin changes, only headers go along that say what kind of answer is wanted:
/// no credentials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Redirects {
    /// The most that are followed in a row; the next one is the answer.
    pub most: u8,
    /// Whether a request may go on as `GET` without its body: after 303, and a `POST` after 301 or 302
    /// (RFC 9110, section 15.4).
    pub may_become_get: bool,
}

impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Request")
            .field("method", &self.method)
            .field("url", &shown_url(&self.url))
            .field("headers", &HeaderNames(&self.headers))
            .field("body_bytes", &self.body.len())
            .field("timeout", &self.timeout)
            .field("redirects", &self.redirects.most)
            .finish()
    }
}

/// A complete answer, whatever its status.
#[derive(Clone)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The headers of the answer.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl fmt::Debug for Response {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Response")
            .field("status", &self.status)
            .field("headers", &HeaderNames(&self.headers))
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// Names only: values carry tokens.
struct HeaderNames<'a>(&'a HeaderMap);

impl fmt::Debug for HeaderNames<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.0.keys()).finish()
    }
}

/// The URL without user info, query and fragment.
fn shown_url(url: &str) -> String {
    let visible = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = visible.split_once("://") else {
        return "(not a url)".to_owned();
    };
    match rest.rsplit_once('@') {
        Some((_, after)) => format!("{scheme}://{after}"),
        None => visible.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_of_a_request_shows_no_header_value_no_body_no_query_and_no_user_info() {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", "Bearer hush-1".parse().unwrap());
        let request = Request {
            method: Method::POST,
            url: "https://hush-2:hush-3@api.example.com/leads?token=hush-4#hush-5".to_owned(),
            headers,
            body: Bytes::from_static(b"hush-6"),
            timeout: Duration::from_secs(5),
            redirects: Redirects::default(),
        };

        assert_eq!(
            format!("{request:?}"),
            r#"Request { method: POST, url: "https://api.example.com/leads", headers: ["authorization"], body_bytes: 6, timeout: 5s, redirects: 0 }"#
        );
    }

    #[test]
    fn debug_of_a_response_shows_no_header_value_and_no_body() {
        let mut headers = HeaderMap::new();
        headers.insert("set-cookie", "hush".parse().unwrap());
        let response = Response { status: 200, headers, body: Bytes::from_static(b"hush") };

        assert_eq!(format!("{response:?}"), r#"Response { status: 200, headers: ["set-cookie"], body_bytes: 4 }"#);
    }
}
