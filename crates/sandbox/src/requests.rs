//! What partners received.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, Method, header};
use patchbay_types::Timestamp;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;

use crate::call::{self, Call};
use crate::partner::Partner;
use crate::ring::{ROWS_KEPT, Ring};

/// How many bytes of headers, queries and bodies are kept over all rows. Older rows lose theirs first, but stay.
const DETAIL_BYTES_KEPT: usize = 256 * 1024 * 1024;

/// Longer paths are cut in the record, so that rows stay small.
const PATH_BYTES_KEPT: usize = 1024;

/// Headers that carry nothing but credentials: their values are not kept.
const MASKED_HEADERS: [HeaderName; 4] =
    [header::AUTHORIZATION, header::PROXY_AUTHORIZATION, header::COOKIE, HeaderName::from_static("x-api-key")];

const IDEMPOTENCY_HEADERS: [&str; 2] = ["idempotency-key", "x-idempotency-key"];

const MASK: &str = "***";

/// One request, cheap to copy out of the lock.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    at: Timestamp,
    partner: Partner,
    method: Method,
    path: Arc<str>,
    status: Option<u16>,
    details: Option<Arc<Details>>,
}

/// The parts of a request that may be large.
#[derive(Debug)]
struct Details {
    query: String,
    headers: BTreeMap<String, String>,
    idempotency_key: Option<String>,
    body: Box<[u8]>,
}

/// The newest requests of all partners.
#[derive(Debug)]
pub(crate) struct RequestLog {
    rows: Ring<Request>,
    detail_bytes: usize,
    /// The oldest row that may still have details.
    detailed_from: u64,
}

/// Which requests a listing shows.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    pub(crate) partner: Option<String>,
    pub(crate) path: Option<String>,
    pub(crate) since: Option<Since>,
}

/// Where a listing begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Since {
    /// Behind the request with this id.
    Id(u64),
    /// At this time.
    Time(Timestamp),
}

impl Default for RequestLog {
    fn default() -> Self {
        let rows = Ring::new(ROWS_KEPT);
        Self { detailed_from: rows.first(), rows, detail_bytes: 0 }
    }
}

impl RequestLog {
    /// Writes down an arrival and gives its id.
    pub(crate) fn record(&mut self, call: &Call, at: Timestamp) -> u64 {
        let details = Details::of(call);
        self.detail_bytes += details.size();
        let (number, gone) = self.rows.push(Request {
            at,
            partner: Partner::of(&call.path),
            method: call.method.clone(),
            path: cut(&call.path).into(),
            status: None,
            details: Some(Arc::new(details)),
        });
        if let Some(details) = gone.and_then(|(_, request)| request.details) {
            self.detail_bytes -= details.size();
        }
        self.shed_details();
        number
    }

    /// Writes down what a request was answered with.
    pub(crate) fn answered(&mut self, number: u64, status: u16) {
        if let Some(request) = self.rows.get_mut(number) {
            request.status = Some(status);
        }
    }

    /// Copies of the requests that pass the filter, oldest first, with their ids.
    pub(crate) fn list(&self, filter: &Filter) -> Vec<(u64, Request)> {
        self.rows
            .iter()
            .filter(|(number, request)| filter.passes(*number, request))
            .map(|(number, request)| (number, request.clone()))
            .collect()
    }

    pub(crate) fn clear(&mut self) {
        self.rows.clear();
        self.detail_bytes = 0;
        self.detailed_from = self.rows.first();
    }

    fn shed_details(&mut self) {
        self.detailed_from = self.detailed_from.max(self.rows.first());
        while self.detail_bytes > DETAIL_BYTES_KEPT && self.detailed_from < self.rows.next() {
            if let Some(details) = self.rows.get_mut(self.detailed_from).and_then(|request| request.details.take()) {
                self.detail_bytes -= details.size();
            }
            self.detailed_from += 1;
        }
    }
}

impl Filter {
    fn passes(&self, number: u64, request: &Request) -> bool {
        let after = match self.since {
            None => true,
            Some(Since::Id(id)) => number > id,
            Some(Since::Time(time)) => request.at >= time,
        };
        after
            && self.partner.as_deref().is_none_or(|partner| request.partner.is_called(partner))
            && self.path.as_deref().is_none_or(|path| call::route(path) == call::route(&request.path))
    }
}

impl Details {
    /// Copied, because the values of a request share the far larger buffers of its connection.
    fn of(call: &Call) -> Self {
        Self {
            query: masked_query(&call.query),
            headers: masked_headers(&call.headers),
            idempotency_key: IDEMPOTENCY_HEADERS
                .iter()
                .find_map(|name| call.headers.get(*name))
                .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()),
            body: call.body.as_deref().unwrap_or_default().into(),
        }
    }

    fn size(&self) -> usize {
        let headers: usize = self.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        headers + self.query.len() + self.idempotency_key.as_ref().map_or(0, String::len) + self.body.len()
    }
}

/// A request with its id, as listings show it.
#[derive(Debug)]
pub(crate) struct Item(pub(crate) u64, pub(crate) Request);

impl Serialize for Item {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(id, request) = self;
        let details = request.details.as_deref();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", id)?;
        map.serialize_entry("at", &request.at)?;
        map.serialize_entry("partner", request.partner.name())?;
        map.serialize_entry("method", request.method.as_str())?;
        map.serialize_entry("path", &*request.path)?;
        map.serialize_entry("query", &details.map(|details| &details.query))?;
        map.serialize_entry("headers", &details.map(|details| &details.headers))?;
        map.serialize_entry("body", &details.and_then(|details| Content::of(&details.body)))?;
        map.serialize_entry("status", &request.status)?;
        map.serialize_entry("idempotency_key", &details.and_then(|details| details.idempotency_key.as_deref()))?;
        map.end()
    }
}

/// A body: JSON character for character when it is that, else text.
#[derive(Serialize)]
#[serde(untagged)]
enum Content<'a> {
    Json(&'a RawValue),
    Text(Cow<'a, str>),
}

impl<'a> Content<'a> {
    fn of(body: &'a [u8]) -> Option<Self> {
        if body.is_empty() {
            return None;
        }
        Some(match serde_json::from_slice(body) {
            Ok(json) => Self::Json(json),
            Err(_) => Self::Text(String::from_utf8_lossy(body)),
        })
    }
}

fn masked_headers(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut masked = BTreeMap::<String, String>::new();
    for (name, value) in headers {
        let value = if MASKED_HEADERS.contains(name) { MASK.into() } else { String::from_utf8_lossy(value.as_bytes()) };
        masked
            .entry(name.as_str().to_owned())
            .and_modify(|values| {
                values.push_str(", ");
                values.push_str(&value);
            })
            .or_insert_with(|| value.into_owned());
    }
    masked
}

fn masked_query(query: &str) -> String {
    query
        .split('&')
        .map(|pair| if pair.starts_with("token=") { Cow::from(format!("token={MASK}")) } else { pair.into() })
        .collect::<Vec<_>>()
        .join("&")
}

fn cut(path: &str) -> &str {
    &path[..path.floor_char_boundary(PATH_BYTES_KEPT)]
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;

    use super::*;

    fn call(size: usize) -> Call {
        Call {
            method: Method::POST,
            path: "/api/v1.1/profiles/import".to_owned(),
            query: String::new(),
            headers: HeaderMap::new(),
            body: Some(Bytes::from(vec![b'x'; size])),
        }
    }

    #[test]
    fn sheds_the_oldest_bodies_but_keeps_their_rows() {
        let mut log = RequestLog::default();
        let size = DETAIL_BYTES_KEPT / 8;
        for _ in 0..10 {
            log.record(&call(size), Timestamp::from_micros(0));
        }

        let kept: Vec<bool> = log.list(&Filter::default()).iter().map(|(_, row)| row.details.is_some()).collect();
        assert_eq!(kept, [false, false, true, true, true, true, true, true, true, true]);
        assert_eq!(log.detail_bytes, 8 * size);
    }

    #[test]
    fn keeps_a_body_character_for_character() {
        let body = br#"{"b": 1.10, "a":12345678901234567890123}"#;
        let text = serde_json::to_string(&Content::of(body)).unwrap();
        assert_eq!(text.as_bytes(), body);
    }
}
