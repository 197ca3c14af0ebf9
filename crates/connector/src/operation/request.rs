//! From input to the request that is sent.

use std::fmt::Write;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use patchbay_egress::Request;
use patchbay_flow::expression::{Name, RenderError, Scope, Template, Value, ValueKind, to_json, to_text};

use super::Operation;
use crate::{FieldFault, connector::Auth, host::resolve_scheme};

impl Operation {
    /// Builds the call from the connection's fields (with defaults, secrets open) and the coerced input. The step
    /// key goes into the idempotency header when the partner takes one.
    ///
    /// # Errors
    /// When a template of the manifest gives nothing usable over these fields; the fault names the part of the
    /// request.
    pub fn request(&self, connection: &Value, input: &Value, step_key: &str) -> Result<Request, FieldFault> {
        let scope = Scope::new().with(Name::Connection, connection.clone()).with(Name::Input, input.clone());
        let mut headers = HeaderMap::with_capacity(self.request.headers.len() + 4);
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        let mut body = Bytes::new();
        if let Some(json) = &self.request.json {
            let rendered = json.render(&scope).map_err(|error| fault("request.json", &error))?;
            let json = to_json(&rendered).map_err(|error| FieldFault::new("request.json", error.to_string()))?;
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            body = Bytes::from(json);
        }
        for (name, template) in &self.request.headers {
            let place = format!("request.headers.{name}");
            let value = template.render(&scope).map_err(|error| fault(&place, &error))?;
            if !value.is_undefined() && !value.is_none() {
                headers.insert(name.clone(), header_value(&place, &value)?);
            }
        }
        if let Some(name) = &self.http.idempotency {
            headers.insert(name.clone(), header_value("step key", &Value::from(step_key))?);
        }
        if let Some((name, value)) = self.credentials(&scope)? {
            headers.insert(name, value);
        }
        Ok(Request {
            method: self.request.method.clone(),
            url: self.url(&scope)?,
            headers,
            body,
            timeout: self.timeout,
        })
    }

    fn url(&self, scope: &Scope) -> Result<String, FieldFault> {
        let base =
            self.http.base_url.render_text(scope, str::to_owned).map_err(|error| fault("http.base_url", &error))?;
        let path =
            self.request.path.render_text(scope, encode_segment).map_err(|error| fault("request.path", &error))?;
        let mut url = format!("{}{path}", resolve_scheme(&base).trim_end_matches('/'));
        let query = self.query(scope)?;
        if !query.is_empty() {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(&query);
        }
        Ok(url)
    }

    fn query(&self, scope: &Scope) -> Result<String, FieldFault> {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, template) in &self.request.query {
            let place = format!("request.query.{name}");
            let value = template.render(scope).map_err(|error| fault(&place, &error))?;
            if value.is_undefined() || value.is_none() {
                continue;
            }
            let values = match value.kind() {
                ValueKind::Seq => value.try_iter().into_iter().flatten().collect(),
                _ => vec![value],
            };
            for value in values {
                query.append_pair(name, &to_text(&value).map_err(|error| FieldFault::new(&place, error.to_string()))?);
            }
        }
        Ok(query.finish())
    }

    fn credentials(&self, scope: &Scope) -> Result<Option<(HeaderName, HeaderValue)>, FieldFault> {
        let (name, prefix, template) = match self.auth() {
            Auth::None => return Ok(None),
            Auth::Bearer(token) => (header::AUTHORIZATION, "Bearer ", token),
            Auth::Header(name, key) => (name.clone(), "", key),
        };
        let secret = secret_text(template, scope)?;
        // The value may be a secret, so the message doesn't show it.
        let mut value = HeaderValue::try_from(format!("{prefix}{secret}"))
            .map_err(|_| FieldFault::new("connection", "the credentials have characters that no header can carry"))?;
        value.set_sensitive(true);
        Ok(Some((name, value)))
    }
}

fn secret_text(template: &Template, scope: &Scope) -> Result<String, FieldFault> {
    let text = template
        .render_text(scope, str::to_owned)
        .map_err(|_| FieldFault::new("connection", "the credentials can't be put together"))?;
    if text.is_empty() { Err(FieldFault::new("connection", "the credentials are empty")) } else { Ok(text) }
}

fn header_value(place: &str, value: &Value) -> Result<HeaderValue, FieldFault> {
    let text = to_text(value).map_err(|error| FieldFault::new(place, error.to_string()))?;
    HeaderValue::try_from(text).map_err(|_| FieldFault::new(place, "has characters that no header can carry"))
}

fn fault(place: &str, error: &RenderError) -> FieldFault {
    let dot = if error.path.is_empty() || error.path.starts_with('[') { "" } else { "." };
    FieldFault::new(format!("{place}{dot}{}", error.path), error.message.clone())
}

/// Encodes a value for one segment of a path (RFC 3986, section 2.3: all but unreserved characters), so that data
/// can't reach another path. A segment of dots alone would be resolved away and is encoded as well.
fn encode_segment(text: &str) -> String {
    let only_dots = text.bytes().all(|byte| byte == b'.');
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~') || (byte == b'.' && !only_dots) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
