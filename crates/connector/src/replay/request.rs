//! The connector's side of an exchange.

use std::collections::BTreeMap;

use patchbay_egress::Request;
use serde_json::Value as Json;

use super::{
    compare::{bounded, compare, quoted, shown},
    document::RequestSection,
    findings::Findings,
};

/// Compares what the connector would send with what the file names; parts that it does not name may be anything.
pub(super) fn check(path: &str, expected: &RequestSection, found: &Request, findings: &mut Findings<'_>) {
    if let Some(method) = &expected.method
        && method != found.method.as_str()
    {
        findings.add(&format!("{path}.method"), method.clone(), found.method.to_string());
    }
    if let Some(url) = &expected.url
        && *url != found.url
    {
        findings.add(&format!("{path}.url"), quoted(url), quoted(&found.url));
    }
    for (name, value) in &expected.headers {
        check_header(&format!("{path}.headers.{name}"), name, value.as_deref(), found, findings);
    }
    check_body(path, expected, found, findings);
}

fn check_header(path: &str, name: &str, expected: Option<&str>, request: &Request, findings: &mut Findings<'_>) {
    let found = request.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    if found.as_deref() == expected {
        return;
    }
    let told = |value: Option<&str>| value.map_or_else(|| "no such header".to_owned(), quoted);
    findings.add(path, told(expected), told(found.as_deref()));
}

fn check_body(path: &str, expected: &RequestSection, request: &Request, findings: &mut Findings<'_>) {
    if let Some(text) = &expected.text {
        let found = String::from_utf8_lossy(&request.body);
        if found != text.as_str() {
            findings.add(&format!("{path}.text"), quoted(text), quoted(&found));
        }
    }
    if let Some(json) = &expected.json {
        let path = format!("{path}.json");
        match serde_json::from_slice::<Json>(&request.body) {
            Ok(found) => findings.extend(compare(&path, json, &found)),
            Err(_) if request.body.is_empty() => findings.add(&path, shown(Some(json)), "an empty body"),
            Err(_) => {
                let found = format!("no JSON: {}", bounded(&String::from_utf8_lossy(&request.body)));
                findings.add(&path, shown(Some(json)), found);
            }
        }
    }
    if let Some(form) = &expected.form {
        let expected: BTreeMap<_, _> = form.iter().map(|(name, value)| (name.clone(), texts(value))).collect();
        let found = form_values(&request.body);
        findings.extend(compare(&format!("{path}.form"), &Json::from_iter(expected), &Json::from_iter(found)));
    }
}

/// Values of a form are texts, and a name that repeats has the list of them.
fn texts(value: &Json) -> Json {
    match value {
        Json::Array(items) => items.iter().map(texts).collect(),
        Json::String(_) => value.clone(),
        other => Json::from(other.to_string()),
    }
}

pub(super) fn form_values(body: &[u8]) -> BTreeMap<String, Json> {
    let mut values: BTreeMap<String, Json> = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(body) {
        let value = Json::from(value.into_owned());
        match values.get_mut(name.as_ref()) {
            None => {
                values.insert(name.into_owned(), value);
            }
            Some(Json::Array(values)) => values.push(value),
            Some(first) => *first = Json::Array(vec![first.take(), value]),
        }
    }
    values
}
