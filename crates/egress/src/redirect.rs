//! Which request follows an answer that says "elsewhere".

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, LOCATION, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use url::Url;

use crate::{Request, Response, target};

/// All that goes along to another origin.
const TRAVELLING: [HeaderName; 4] = [ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, USER_AGENT];

/// The request that the answer leads to; nothing when it leads nowhere, or where the request may not follow.
pub(crate) fn next(request: &Request, answer: &Response) -> Option<Request> {
    let method = method_after(answer.status, &request.method, request.redirects.may_become_get)?;
    let from = Url::parse(&request.url).ok()?;
    let to = location(&from, &answer.headers)?;
    if from.scheme() == "https" && to.scheme() != "https" {
        return None;
    }
    let mut next = Request { url: to.to_string(), ..request.clone() };
    if method != request.method {
        next.method = method;
        next.body = Bytes::new();
        next.headers = keep(&request.headers, |name, _| !name.as_str().starts_with("content-"));
    }
    if from.origin() != to.origin() {
        if !next.method.is_safe() || !next.body.is_empty() {
            return None;
        }
        next.headers = keep(&request.headers, |name, value| TRAVELLING.contains(name) && !value.is_sensitive());
    }
    Some(next)
}

/// Where the answer points to, if that can be called.
fn location(from: &Url, headers: &HeaderMap) -> Option<Url> {
    let text = str::from_utf8(headers.get(LOCATION)?.as_bytes()).ok()?;
    // Joining would drop tabs and line breaks, so this is looked at before.
    if text.bytes().any(|byte| byte.is_ascii_control()) {
        return None;
    }
    let to = from.join(text).ok()?;
    target::parse(to.as_str()).ok()?;
    Some(to)
}

/// The method that goes on (RFC 9110, sections 15.4.2 to 15.4.9); nothing when the status is no redirect to follow.
fn method_after(status: u16, method: &Method, may_become_get: bool) -> Option<Method> {
    let changes = match status {
        301 | 302 => *method == Method::POST,
        303 => !matches!(*method, Method::GET | Method::HEAD),
        307 | 308 => false,
        _ => return None,
    };
    match changes {
        false => Some(method.clone()),
        true => may_become_get.then_some(Method::GET),
    }
}

fn keep(headers: &HeaderMap, stays: impl Fn(&HeaderName, &HeaderValue) -> bool) -> HeaderMap {
    let mut kept = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers.iter().filter(|(name, value)| stays(name, value)) {
        kept.append(name, value.clone());
    }
    kept
}
