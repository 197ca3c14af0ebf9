//! Whether what stands in a file of recorded exchanges belongs together.

use std::collections::{BTreeMap, BTreeSet};

use http::{HeaderName, HeaderValue};

use super::{
    Recording, Target, delivery,
    document::{CaseSection, DeliverySection, RequestSection, ResponseSection},
};
use crate::ManifestError;

const TARGETS: &str = "`operation: KEY`, `operations: all`, `list: NAME`, `trigger: KEY` or `test: true`";

/// Every mistake in the file.
pub(super) fn check(recording: &Recording) -> Vec<ManifestError> {
    let mut checker = Checker { recording, errors: Vec::new() };
    checker.target();
    checker.names();
    if let Some(target) = recording.target() {
        for (index, case) in recording.document.cases.iter().enumerate() {
            checker.case(&format!("cases[{index}]"), target, case);
        }
    }
    checker.errors
}

struct Checker<'recording> {
    recording: &'recording Recording,
    errors: Vec<ManifestError>,
}

impl Checker<'_> {
    fn target(&mut self) {
        let document = &self.recording.document;
        if document.test == Some(false) {
            self.fail("test", "expected `true`", "leave the key out when the file is about something else");
        }
        let named = [
            document.operation.is_some(),
            document.operations.is_some(),
            document.list.is_some(),
            document.trigger.is_some(),
            document.test.is_some(),
        ];
        match named.into_iter().filter(|named| *named).count() {
            1 => {}
            0 => self.fail("", "the file does not say what it is about", format!("begin with {TARGETS}")),
            _ => self.fail("", "the file is about more than one thing", format!("give one of {TARGETS}")),
        }
        if !document.inputs.is_empty() && document.operations.is_none() {
            self.fail("inputs", "inputs by action stand only beside `operations: all`", "give each case its `input`");
        }
        if document.cases.is_empty() {
            self.fail("cases", "there is no case", "a case has a `name`, an `input`, a `response` and an `output`");
        }
    }

    fn names(&mut self) {
        let mut names = BTreeSet::new();
        for (index, case) in self.recording.document.cases.iter().enumerate() {
            let path = format!("cases[{index}].name");
            if case.name.trim().is_empty() {
                self.fail(&path, "the case has no name", "say in a few words what is shown");
            } else if !names.insert(case.name.as_str()) {
                let message = format!("another case has the name `{}`", case.name);
                self.fail(&path, message, "give each case a name of its own");
            }
        }
    }

    fn case(&mut self, path: &str, target: Target<'_>, case: &CaseSection) {
        self.misplaced(path, target, case);
        match target {
            Target::Trigger(_) => self.trigger(path, case),
            Target::List(_) => self.list(path, case),
            Target::Operation(_) | Target::AllActions | Target::ConnectionTest => self.call(path, case),
        }
        if let Some(request) = &case.request {
            self.request(&format!("{path}.request"), request);
        }
        if let Some(response) = &case.response {
            self.response(&format!("{path}.response"), response);
        }
        for (index, exchange) in case.exchanges.iter().flatten().enumerate() {
            let path = format!("{path}.exchanges[{index}]");
            if let Some(request) = &exchange.request {
                self.request(&format!("{path}.request"), request);
            }
            self.response(&format!("{path}.response"), &exchange.response);
        }
        if let Some(delivery) = &case.delivery {
            self.delivery(&format!("{path}.delivery"), delivery);
        }
    }

    /// Keys that have a meaning in cases of other files only.
    fn misplaced(&mut self, path: &str, target: Target<'_>, case: &CaseSection) {
        let (about, taken): (&str, &[&str]) = match target {
            Target::Operation(_) => ("an action", &["input", "request", "response", "output", "error", "fault"]),
            Target::AllActions => {
                ("all actions", &["input", "inputs", "request", "response", "output", "error", "fault"])
            }
            Target::ConnectionTest => ("the connection's test", &["request", "response", "output", "label", "error"]),
            Target::List(_) => ("a list", &["input", "request", "response", "exchanges", "items", "error", "fault"]),
            Target::Trigger(_) => ("a trigger", &["parameters", "now", "delivery", "fired", "refused", "fault"]),
        };
        let given = [
            ("input", case.input.is_some()),
            ("inputs", !case.inputs.is_empty()),
            ("request", case.request.is_some()),
            ("response", case.response.is_some()),
            ("exchanges", case.exchanges.is_some()),
            ("output", case.output.is_some()),
            ("label", case.label.is_some()),
            ("items", case.items.is_some()),
            ("error", case.error.is_some()),
            ("fault", case.fault.is_some()),
            ("parameters", case.parameters.is_some()),
            ("now", case.now.is_some()),
            ("delivery", case.delivery.is_some()),
            ("fired", case.fired.is_some()),
            ("refused", case.refused.is_some()),
        ];
        for (name, _) in given.into_iter().filter(|(name, given)| *given && !taken.contains(name)) {
            let taken: Vec<_> = taken.iter().map(|name| format!("`{name}`")).collect();
            let hint = format!("such a case takes `name`, `connection`, {}", taken.join(", "));
            self.fail(&format!("{path}.{name}"), format!("has no meaning in a case about {about}"), hint);
        }
    }

    fn call(&mut self, path: &str, case: &CaseSection) {
        if case.fault.is_some() {
            return self.no_call(path, case);
        }
        let ends = usize::from(case.output.is_some()) + usize::from(case.error.is_some());
        match (&case.response, ends) {
            (Some(_), 1) => {}
            (Some(_), 0) if case.label.is_some() => {}
            (Some(_), 0) => {
                self.fail(path, "the case does not say what becomes of the answer", "add `output` or `error`")
            }
            (Some(_), _) => self.fail(path, "the case has both `output` and `error`", "keep the one that is right"),
            (None, 0) if case.request.is_some() => {}
            (None, 0) => self.fail(path, "the case shows nothing", "add a `request`, or a `response` and its `output`"),
            (None, _) => self.fail(path, "the key `response` is missing", "add the partner's answer as `response`"),
        }
    }

    fn list(&mut self, path: &str, case: &CaseSection) {
        if case.fault.is_some() {
            return self.no_call(path, case);
        }
        if case.exchanges.is_some() && (case.request.is_some() || case.response.is_some()) {
            self.fail(path, "the case has `exchanges` and a single exchange", "put all of them under `exchanges`");
        }
        match (&case.items, &case.error) {
            (None, None) => self.fail(path, "the case does not say what the list is", "add `items` or `error`"),
            (Some(_), Some(_)) => {
                self.fail(path, "the case has both `items` and `error`", "keep the one that is right")
            }
            _ => {}
        }
    }

    fn no_call(&mut self, path: &str, case: &CaseSection) {
        let calls = [
            ("request", case.request.is_some()),
            ("response", case.response.is_some()),
            ("exchanges", case.exchanges.is_some()),
            ("output", case.output.is_some()),
            ("items", case.items.is_some()),
            ("error", case.error.is_some()),
        ];
        for (name, _) in calls.into_iter().filter(|(_, given)| *given) {
            let message = format!("an input that is refused has no `{name}`");
            self.fail(&format!("{path}.{name}"), message, "remove it, or remove `fault`");
        }
    }

    fn trigger(&mut self, path: &str, case: &CaseSection) {
        if delivery::now(case.now.as_deref()).is_none() {
            let hint = "write UTC like `2026-01-02T03:04:05Z`";
            self.fail(&format!("{path}.now"), "expected a time", hint);
        }
        let ends = [case.fault.is_some(), case.fired.is_some(), case.refused.is_some()];
        match ends.into_iter().filter(|given| *given).count() {
            1 => {}
            0 => self.fail(path, "the case does not say what becomes of the delivery", "add `fired` or `refused`"),
            _ => self.fail(path, "the case has more than one end", "keep one of `fired`, `refused` and `fault`"),
        }
        match (&case.delivery, &case.fault) {
            (None, None) => self.fail(path, "the key `delivery` is missing", "add what the partner sends"),
            (Some(_), Some(_)) => {
                let message = "parameters that are refused have no `delivery`";
                self.fail(&format!("{path}.delivery"), message, "remove it, or remove `fault`");
            }
            _ => {}
        }
    }

    fn request(&mut self, path: &str, request: &RequestSection) {
        self.one_body(path, &[request.json.is_some(), request.form.is_some(), request.text.is_some()]);
        for (name, value) in &request.headers {
            self.header(&format!("{path}.headers.{name}"), name, value.as_deref().unwrap_or_default());
        }
    }

    fn response(&mut self, path: &str, response: &ResponseSection) {
        self.one_body(path, &[response.json.is_some(), false, response.text.is_some()]);
        self.headers(path, &response.headers);
        let answered = response.status.is_some()
            || response.json.is_some()
            || response.text.is_some()
            || !response.headers.is_empty();
        match (response.failure, response.status) {
            (Some(_), _) if answered => {
                self.fail(path, "no answer has a status, headers or a body", "keep `failure` alone, or remove it");
            }
            (None, None) => self.fail(path, "the key `status` is missing", "add the status, or `failure: timeout`"),
            (None, Some(status)) if !(100..=599).contains(&status) => {
                self.fail(&format!("{path}.status"), "expected a status from 100 to 599", "200 is the usual one");
            }
            _ => {}
        }
        if response.sent.is_some() && response.failure.is_none() {
            self.fail(&format!("{path}.sent"), "has a meaning only beside `failure`", "remove it");
        }
    }

    fn delivery(&mut self, path: &str, delivery: &DeliverySection) {
        self.one_body(path, &[delivery.json.is_some(), delivery.form.is_some(), delivery.text.is_some()]);
        self.headers(path, &delivery.headers);
    }

    fn one_body(&mut self, path: &str, given: &[bool]) {
        if given.iter().filter(|given| **given).count() > 1 {
            self.fail(path, "there is more than one body", "keep one of `json`, `form` and `text`");
        }
    }

    fn headers(&mut self, path: &str, headers: &BTreeMap<String, String>) {
        for (name, value) in headers {
            self.header(&format!("{path}.headers.{name}"), name, value);
        }
    }

    fn header(&mut self, path: &str, name: &str, value: &str) {
        if name.parse::<HeaderName>().is_err() {
            self.fail(path, format!("`{name}` is no name of a header"), "a name has letters, digits and `-`");
        } else if HeaderValue::from_str(value).is_err() {
            self.fail(path, "the value has characters that no header can carry", "use one line of plain characters");
        }
    }

    fn fail(&mut self, path: &str, message: impl Into<String>, hint: impl Into<String>) {
        self.errors.push(self.recording.error(path, message).with_hint(Some(hint.into())));
    }
}
