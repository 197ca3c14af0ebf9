//! One call.

use http::{HeaderName, HeaderValue};
use patchbay_flow::expression::Template;

use super::{Compiler, expression::Sees};
use crate::{
    call::{BodyTemplate, RequestTemplate},
    manifest::document::{Method, RequestSection},
};

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

impl Compiler<'_> {
    pub(super) fn request(&mut self, path: &str, section: &RequestSection, sees: Sees<'_>) -> Option<RequestTemplate> {
        if !section.path.starts_with('/') {
            self.fail(&format!("{path}.path"), "expected a path that starts with `/`");
        }
        if section.path.contains(['?', '#']) {
            let hint = "put parameters into `query`";
            self.fail_with(&format!("{path}.path"), "expected a path without `?` and `#`", hint);
        }
        let method = match section.method {
            Method::Get => http::Method::GET,
            Method::Post => http::Method::POST,
            Method::Put => http::Method::PUT,
            Method::Patch => http::Method::PATCH,
            Method::Delete => http::Method::DELETE,
        };
        let query = self.templates(&format!("{path}.query"), &section.query, sees);
        let headers = self.headers(&format!("{path}.headers"), section, sees);
        let body = self.body(path, section, sees);
        let path = self.text(&format!("{path}.path"), &section.path, sees);
        Some(RequestTemplate { method, path: path?, query, headers, body: body? })
    }

    fn headers(&mut self, path: &str, section: &RequestSection, sees: Sees<'_>) -> Vec<(HeaderName, Template)> {
        let mut headers: Vec<(HeaderName, Template)> = Vec::new();
        for (name, template) in self.templates(path, &section.headers, sees) {
            let path = format!("{path}.{name}");
            let Some(name) = self.header(&path, &name) else { continue };
            if headers.iter().any(|(other, _)| *other == name) {
                self.fail(&path, format!("the header `{name}` is there twice"));
            }
            headers.push((name, template));
        }
        headers
    }

    fn body(&mut self, path: &str, section: &RequestSection, sees: Sees<'_>) -> Option<BodyTemplate> {
        let given =
            [("json", section.json.is_some()), ("form", section.form.is_some()), ("text", section.text.is_some())];
        self.exclusive(path, &given);
        for (name, _) in given.iter().filter(|(_, given)| *given && section.method == Method::Get) {
            let hint = "put parameters into `query`, or use another method";
            self.fail_with(&format!("{path}.{name}"), "a request with `GET` has no body", hint);
        }
        if section.content_type.is_some() && section.text.is_none() {
            let hint = "`json` and `form` have their own";
            self.fail_with(&format!("{path}.content_type"), "has no meaning without `text`", hint);
        }
        if let Some(json) = &section.json {
            return self.template(&format!("{path}.json"), json, sees).map(BodyTemplate::Json);
        }
        if let Some(form) = &section.form {
            return Some(BodyTemplate::Form(self.templates(&format!("{path}.form"), form, sees)));
        }
        let Some(text) = &section.text else { return Some(BodyTemplate::None) };
        let template = self.text(&format!("{path}.text"), text, sees);
        let content_type = match &section.content_type {
            None => TEXT,
            Some(content_type) => self.content_type(&format!("{path}.content_type"), content_type)?,
        };
        Some(BodyTemplate::Text(template?, content_type))
    }

    fn content_type(&mut self, path: &str, text: &str) -> Option<HeaderValue> {
        let value = HeaderValue::from_str(text).ok().filter(|_| text.contains('/'));
        if value.is_none() {
            self.fail(path, format!("expected a media type like `text/csv`, found `{text}`"));
        }
        value
    }
}
