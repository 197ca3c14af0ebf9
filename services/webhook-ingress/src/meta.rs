//! What is known about an event's arrival: `trigger_meta`.

use axum::http::{HeaderMap, HeaderName, header::CONTENT_TYPE, request::Parts};
use patchbay_types::Timestamp;
use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::form;

/// Headers that every request has and that hold nothing secret: looked at first, because they are most of them.
const ORDINARY: [&str; 7] =
    ["host", "user-agent", "accept", "accept-encoding", "connection", "content-length", "content-type"];
/// A header whose name holds one of these proves who the sender is. It is checked at the door, or not at all, and never kept.
const CREDENTIALS: [&str; 9] =
    ["authorization", "cookie", "signature", "hmac", "secret", "token", "password", "api-key", "apikey"];

/// JSON with `headers` but those of `proofs`, `query`, `content_type` and `received_at`.
pub(crate) fn write(head: &Parts, proofs: &[HeaderName], received_at: Timestamp) -> Result<Vec<u8>, serde_json::Error> {
    let content_type = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let query = Query(head.uri.query().unwrap_or_default());
    serde_json::to_vec(&Meta { headers: Headers { all: &head.headers, proofs }, query, content_type, received_at })
}

#[derive(Serialize)]
struct Meta<'a> {
    headers: Headers<'a>,
    query: Query<'a>,
    content_type: Option<&'a str>,
    received_at: Timestamp,
}

struct Headers<'a> {
    all: &'a HeaderMap,
    proofs: &'a [HeaderName],
}

impl Serialize for Headers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for name in self.all.keys().filter(|name| !is_credential(name) && !self.proofs.contains(name)) {
            let mut values = self.all.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
            let Some(first) = values.next() else { continue };
            let joined = values.fold(first, |mut joined, value| {
                let text = joined.to_mut();
                text.push_str(", ");
                text.push_str(&value);
                joined
            });
            map.serialize_entry(name.as_str(), &joined)?;
        }
        map.end()
    }
}

fn is_credential(name: &HeaderName) -> bool {
    let name = name.as_str();
    !ORDINARY.contains(&name) && CREDENTIALS.iter().any(|credential| name.contains(credential))
}

struct Query<'a>(&'a str);

impl Serialize for Query<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        form::flat(self.0.as_bytes()).serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;
    use serde_json::{Value, json};

    use super::*;

    fn meta(request: axum::http::request::Builder) -> Value {
        let head = request.body(()).unwrap().into_parts().0;
        serde_json::from_slice(&write(&head, &[HeaderName::from_static("x-proof")], Timestamp::from_micros(0)).unwrap())
            .unwrap()
    }

    #[test]
    fn tells_headers_query_type_and_time() {
        let request = Request::post("/hooks/x?a=1&b=2&b=3")
            .header("Content-Type", "application/json")
            .header("X-Shop", "berlin")
            .header("X-Shop", "paris")
            .header("X-Odd", b"\xff".as_slice());
        let expected = json!({
            "headers": {"content-type": "application/json", "x-shop": "berlin, paris", "x-odd": "\u{fffd}"},
            "query": {"a": "1", "b": ["2", "3"]},
            "content_type": "application/json",
            "received_at": "1970-01-01T00:00:00.000000Z",
        });
        assert_eq!(meta(request), expected);
    }

    #[test]
    fn keeps_no_header_that_proves_who_the_sender_is() {
        let secret = [
            "Authorization",
            "Cookie",
            "Proxy-Authorization",
            "X-Signature",
            "X-Signature-SHA256",
            "X-Hub-Signature",
            "X-Hub-Signature-256",
            "Webhook-Signature",
            "Stripe-Signature",
            "X-Gitlab-Token",
            "X-Shopify-Hmac-Sha256",
            "X-Api-Key",
            "X-Webhook-Secret",
            "X-Proof",
        ];
        let request = secret.iter().fold(Request::post("/"), |request, name| request.header(*name, "s3cr3t"));
        assert_eq!(meta(request)["headers"], json!({}));
    }
}
