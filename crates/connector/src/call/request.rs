//! From values to the request that is sent.

use std::{fmt::Write, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use patchbay_egress::Request;
use patchbay_flow::expression::{RenderError, Scope, Template, Value, ValueKind, to_json, to_text};

use super::{BodyTemplate, Extra, Http, RequestTemplate};
use crate::{FieldFault, host::resolve_scheme};

const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

impl RequestTemplate {
    /// Builds the call over these values.
    ///
    /// # Errors
    /// When a template of the manifest gives nothing usable; the fault names the part of the request.
    pub(crate) fn build(
        &self,
        http: &Http,
        scope: &Scope,
        timeout: Duration,
        extra: &Extra<'_>,
    ) -> Result<Request, FieldFault> {
        let mut headers = HeaderMap::with_capacity(self.headers.len() + 4);
        headers.insert(header::ACCEPT, JSON);
        let body = self.body(scope, extra, &mut headers)?;
        for (name, template) in &self.headers {
            let place = || format!("request.headers.{name}");
            let value = template.render(scope).map_err(|error| fault(&place(), &error))?;
            if !value.is_undefined() && !value.is_none() {
                headers.insert(name.clone(), header_value(&place, &value)?);
            }
        }
        if let (Some(name), Some(step_key)) = (&http.idempotency, extra.step_key) {
            headers.insert(name.clone(), header_value(&|| "step key".to_owned(), &Value::from(step_key))?);
        }
        http.auth.sign(&mut headers, scope)?;
        let url = self.url(http, scope, extra)?;
        let redirects = patchbay_egress::Redirects::default();
        Ok(Request { method: self.method.clone(), url, headers, body, timeout, redirects })
    }

    fn body(&self, scope: &Scope, extra: &Extra<'_>, headers: &mut HeaderMap) -> Result<Bytes, FieldFault> {
        match &self.body {
            BodyTemplate::None => Ok(Bytes::new()),
            BodyTemplate::Json(template) => {
                let mut json = template.render(scope).map_err(|error| fault("request.json", &error))?;
                if !extra.json.is_empty() {
                    json = with_entries(&json, extra.json);
                }
                let json = to_json(&json).map_err(|error| FieldFault::new("request.json", error.to_string()))?;
                headers.insert(header::CONTENT_TYPE, JSON);
                Ok(Bytes::from(json))
            }
            BodyTemplate::Form(entries) => {
                let mut form = form_urlencoded::Serializer::new(String::new());
                append(&mut form, "request.form", entries, scope)?;
                headers.insert(header::CONTENT_TYPE, FORM);
                Ok(Bytes::from(form.finish()))
            }
            BodyTemplate::Text(template, content_type) => {
                let text = template.render_text(scope, str::to_owned).map_err(|error| fault("request.text", &error))?;
                headers.insert(header::CONTENT_TYPE, content_type.clone());
                Ok(Bytes::from(text))
            }
        }
    }

    fn url(&self, http: &Http, scope: &Scope, extra: &Extra<'_>) -> Result<String, FieldFault> {
        let mut url = match extra.url {
            Some(url) => url.to_owned(),
            None => {
                let base = http.base(scope)?;
                let path =
                    self.path.render_text(scope, encode_segment).map_err(|error| fault("request.path", &error))?;
                format!("{}{path}", base.trim_end_matches('/'))
            }
        };
        let mut query = form_urlencoded::Serializer::new(String::new());
        if extra.url.is_none() {
            append(&mut query, "request.query", &self.query, scope)?;
        }
        for (name, value) in extra.query {
            append_value(&mut query, &|| format!("page.{name}"), name, value)?;
        }
        if let Some((name, key)) = http.auth.parameter(scope)?
            && !(extra.url.is_some() && has_parameter(&url, name))
        {
            query.append_pair(name, &key);
        }
        let query = query.finish();
        if !query.is_empty() {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(&query);
        }
        Ok(url)
    }
}

impl Http {
    /// The URL that all paths stand under.
    pub(crate) fn base(&self, scope: &Scope) -> Result<String, FieldFault> {
        let base = self.base_url.render_text(scope, str::to_owned).map_err(|error| fault("http.base_url", &error))?;
        let resolved = resolve_scheme(&base);
        Ok(if resolved.len() == base.len() { base } else { resolved.to_owned() })
    }
}

/// Whether a URL that the partner gave carries the parameter already.
fn has_parameter(url: &str, name: &str) -> bool {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    form_urlencoded::parse(query.as_bytes()).any(|(other, _)| other == name)
}

/// The same object with these entries, which win.
fn with_entries(object: &Value, entries: &[(&str, Value)]) -> Value {
    let pairs = object.as_object().and_then(|object| object.try_iter_pairs()).into_iter().flatten();
    let added = entries.iter().map(|(name, value)| (Value::from(*name), value.clone()));
    // Of two with the same key the last holds.
    Value::from_pairs(pairs.chain(added))
}

fn append(
    pairs: &mut form_urlencoded::Serializer<'_, String>,
    place: &str,
    entries: &[(String, Template)],
    scope: &Scope,
) -> Result<(), FieldFault> {
    for (name, template) in entries {
        let place = || format!("{place}.{name}");
        let value = template.render(scope).map_err(|error| fault(&place(), &error))?;
        append_value(pairs, &place, name, &value)?;
    }
    Ok(())
}

/// Nothing for what is missing; a list repeats the name.
fn append_value(
    pairs: &mut form_urlencoded::Serializer<'_, String>,
    place: &dyn Fn() -> String,
    name: &str,
    value: &Value,
) -> Result<(), FieldFault> {
    if value.is_undefined() || value.is_none() {
        return Ok(());
    }
    let text = |value: &Value| to_text(value).map_err(|error| FieldFault::new(place(), error.to_string()));
    if value.kind() != ValueKind::Seq {
        pairs.append_pair(name, &text(value)?);
        return Ok(());
    }
    for item in value.try_iter().into_iter().flatten() {
        pairs.append_pair(name, &text(&item)?);
    }
    Ok(())
}

fn header_value(place: &dyn Fn() -> String, value: &Value) -> Result<HeaderValue, FieldFault> {
    let text = to_text(value).map_err(|error| FieldFault::new(place(), error.to_string()))?;
    HeaderValue::try_from(text).map_err(|_| FieldFault::new(place(), "has characters that no header can carry"))
}

fn fault(place: &str, error: &RenderError) -> FieldFault {
    FieldFault::new(error.path.clone(), error.message.clone()).inside(place)
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
