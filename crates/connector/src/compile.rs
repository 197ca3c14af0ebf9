//! From a manifest of the right shape to a connector that makes sense.

use std::{collections::BTreeMap, sync::Arc};

use http::HeaderName;
use patchbay_flow::expression::{Expression, Name, Template, from_json_value};

use crate::{
    Connector, Field, FieldType, Manifest, ManifestError, Operation, Partner,
    connector::{Auth, ErrorRule, Http},
    manifest::{
        SCHEMA, closest,
        document::{
            AuthKind, AuthSection, FieldSection, HttpSection, Method, OperationSection, RequestSection, TestSection,
        },
    },
    operation::RequestTemplate,
};

const SEES_CONNECTION: &[Name] = &[Name::Connection];
const SEES_INPUT: &[Name] = &[Name::Input];
const SEES_CALL: &[Name] = &[Name::Connection, Name::Input];
const SEES_ANSWER: &[Name] = &[Name::Input, Name::Status, Name::Headers, Name::Body];

impl Connector {
    /// Checks everything that the manifest says and compiles it.
    ///
    /// # Errors
    /// All mistakes, each with its place.
    pub fn compile(manifest: Manifest) -> Result<Self, Vec<ManifestError>> {
        let mut compiler = Compiler { manifest: &manifest, errors: Vec::new() };
        let connector = compiler.connector();
        let errors = compiler.errors;
        connector.filter(|_| errors.is_empty()).ok_or(errors)
    }
}

/// Goes on after a mistake, so that a person sees all of them at once. What returns `None` has said why.
struct Compiler<'manifest> {
    manifest: &'manifest Manifest,
    errors: Vec<ManifestError>,
}

impl Compiler<'_> {
    fn connector(&mut self) -> Option<Connector> {
        let document = &self.manifest.document;
        if document.schema != SCHEMA {
            self.fail("schema", format!("expected `{SCHEMA}`, found `{}`", document.schema));
        }
        let section = &document.partner;
        self.key("partner.key", &section.key);
        self.id("partner.id", section.id);
        let partner = Arc::new(Partner {
            key: section.key.clone(),
            id: section.id,
            title: section.title.clone(),
            titles: section.titles.clone(),
            description: section.description.clone(),
            categories: section.categories.clone(),
            region: section.region.clone(),
            deprecated: section.deprecated,
            version: section.version.clone(),
        });
        let fields = self.fields("connection.fields", &document.connection.fields, true);
        let http = self.http(&document.http, &document.connection.auth, &fields);
        let concurrency = document.http.budget.as_ref().map(|budget| budget.concurrency);
        if concurrency == Some(0) {
            self.fail("http.budget.concurrency", "expected a number above zero");
        }
        let http = Arc::new(http?);
        let mut operations: Vec<Arc<Operation>> = Vec::new();
        for (index, section) in document.operations.iter().enumerate() {
            let path = format!("operations[{index}]");
            for other in &document.operations[..index] {
                if other.key == section.key {
                    self.fail(&format!("{path}.key"), format!("another operation has the key `{}`", section.key));
                }
                if other.id == section.id {
                    self.fail(&format!("{path}.id"), format!("another operation has the id {}", section.id));
                }
            }
            operations.extend(self.operation(&path, section, &partner, &http).map(Arc::new));
        }
        let test = document.connection.test.as_ref();
        let test = test.and_then(|section| self.test(section, &partner, &http)).map(Arc::new);
        Some(Connector { partner, fields, concurrency, test, operations })
    }

    fn test(&mut self, section: &TestSection, partner: &Arc<Partner>, http: &Arc<Http>) -> Option<Operation> {
        let request = self.request("connection.test.request", &section.request);
        let expect = self.expression("connection.test.expect", &section.expect, SEES_ANSWER);
        Some(Operation {
            partner: Arc::clone(partner),
            http: Arc::clone(http),
            key: "test".to_owned(),
            name: format!("{}.test", partner.key),
            id: 0,
            title: "Test of the connection".to_owned(),
            titles: BTreeMap::new(),
            description: String::new(),
            deprecated: false,
            safe_to_repeat: true,
            timeout: http.timeout,
            fields: Vec::new(),
            request: request?,
            success: Some(expect?),
            output: Vec::new(),
            sample: serde_json::Value::Null,
        })
    }

    fn http(&mut self, section: &HttpSection, auth: &AuthSection, fields: &[Field]) -> Option<Http> {
        let base_url = self.text("http.base_url", &section.base_url, SEES_CONNECTION);
        if !section.base_url.starts_with("https://") && !section.base_url.starts_with("http://") {
            self.fail("http.base_url", "expected a URL that starts with `https://` or `http://`");
        }
        let success = self.expression("http.success", &section.success, SEES_ANSWER);
        let mut errors = Vec::new();
        for (index, rule) in section.errors.iter().enumerate() {
            let path = format!("http.errors[{index}]");
            let when = self.expression(&format!("{path}.when"), &rule.when, SEES_ANSWER);
            let message = rule.message.as_ref().map(|text| self.text(&format!("{path}.message"), text, SEES_ANSWER));
            if let Some(when) = when {
                errors.push(ErrorRule {
                    when,
                    action: rule.action,
                    class: rule.class,
                    message: message.flatten(),
                    known: rule.known,
                });
            }
        }
        let idempotency = section.idempotency.as_ref();
        let idempotency = idempotency.map(|section| self.header("http.idempotency.header", &section.header));
        let auth = self.auth(auth);
        let secrets = fields.iter().filter(|field| field.kind == FieldType::Secret);
        Some(Http {
            base_url: base_url?,
            timeout: section.timeout.0,
            success: success?,
            errors,
            idempotency: idempotency.flatten(),
            auth: auth?,
            secret_fields: secrets.map(|field| field.name.clone()).collect(),
        })
    }

    fn auth(&mut self, section: &AuthSection) -> Option<Auth> {
        let path = "connection.auth";
        let given = [("token", &section.token), ("header", &section.header), ("key", &section.key)];
        let wanted: &[&str] = match section.kind {
            AuthKind::None => &[],
            AuthKind::Bearer => &["token"],
            AuthKind::ApiKey => &["header", "key"],
        };
        for (name, value) in given {
            match (wanted.contains(&name), value) {
                (true, None) => self.fail(path, format!("the key `{name}` is missing")),
                (false, Some(_)) => self
                    .fail(&format!("{path}.{name}"), format!("has no meaning for this kind, which takes {wanted:?}")),
                _ => {}
            }
        }
        match section.kind {
            AuthKind::None => Some(Auth::None),
            AuthKind::Bearer => {
                let token = section.token.as_ref()?;
                self.text("connection.auth.token", token, SEES_CONNECTION).map(Auth::Bearer)
            }
            AuthKind::ApiKey => {
                let header = self.header("connection.auth.header", section.header.as_ref()?);
                let key = self.text("connection.auth.key", section.key.as_ref()?, SEES_CONNECTION);
                Some(Auth::Header(header?, key?))
            }
        }
    }

    fn fields(&mut self, path: &str, sections: &[FieldSection], of_connection: bool) -> Vec<Field> {
        let mut fields = Vec::new();
        for (index, section) in sections.iter().enumerate() {
            let path = format!("{path}[{index}]");
            self.key(&format!("{path}.name"), &section.name);
            if sections[..index].iter().any(|other| other.name == section.name) {
                self.fail(&format!("{path}.name"), format!("another field has the name `{}`", section.name));
            }
            self.kind(&path, section, of_connection);
            let mut condition = |name: &str, text: &Option<String>| {
                text.as_ref().and_then(|text| {
                    let path = format!("{path}.{name}");
                    let condition = self.expression(&path, text, SEES_INPUT)?;
                    self.check_paths(&path, &condition, sections);
                    Some(condition)
                })
            };
            let show_when = condition("show_when", &section.show_when);
            let required_when = condition("required_when", &section.required_when);
            let field = Field {
                name: section.name.clone(),
                label: section.label.clone(),
                help: section.help.clone(),
                kind: section.kind.clone(),
                required: section.required,
                required_when,
                show_when,
                default: section.default.clone(),
                validate: section.validate,
                options: section.options.clone(),
            };
            if let Some(default) = &section.default
                && let Err(fault) = field.coerce(&from_json_value(default))
            {
                self.fail(&format!("{path}.default"), fault.message);
            }
            fields.push(field);
        }
        fields
    }

    fn kind(&mut self, path: &str, section: &FieldSection, of_connection: bool) {
        let kind = format!("{path}.type");
        let simple =
            matches!(section.kind, FieldType::String | FieldType::Secret | FieldType::Integer | FieldType::Boolean);
        if of_connection && !simple {
            self.fail(&kind, "expected `string`, `secret`, `integer` or `boolean` for a field of a connection");
        }
        if of_connection && (section.show_when.is_some() || section.required_when.is_some()) {
            self.fail(path, "a field of a connection can't have conditions");
        }
        if !of_connection && section.kind == FieldType::Secret {
            self.fail(&kind, "only a connection has secrets");
        }
        if section.validate.is_some() && section.kind != FieldType::String {
            self.fail(&format!("{path}.validate"), "only a field of type `string` can be a host");
        }
        if !section.options.is_empty() && section.kind != FieldType::String {
            self.fail(&format!("{path}.options"), "only a field of type `string` can have options");
        }
    }

    fn check_paths(&mut self, path: &str, condition: &Expression, sections: &[FieldSection]) {
        for used in condition.paths() {
            let Some(name) = used.strip_prefix("input.").and_then(|rest| rest.split('.').next()) else { continue };
            if sections.iter().any(|section| section.name == name) {
                continue;
            }
            let names: Vec<_> = sections.iter().map(|section| section.name.as_str()).collect();
            let hint = closest(name, names.iter().copied()).or_else(|| Some(format!("there are {}", names.join(", "))));
            let error = self.manifest.error(path, format!("there is no field `{name}`"));
            self.errors.push(error.with_hint(hint));
        }
    }

    fn operation(
        &mut self,
        path: &str,
        section: &OperationSection,
        partner: &Arc<Partner>,
        http: &Arc<Http>,
    ) -> Option<Operation> {
        self.key(&format!("{path}.key"), &section.key);
        self.id(&format!("{path}.id"), section.id);
        let fields = self.fields(&format!("{path}.fields"), &section.fields, false);
        let request = self.request(&format!("{path}.request"), &section.request);
        let mut output = Vec::new();
        for (key, text) in &section.output {
            let expression = self.expression(&format!("{path}.output.{key}"), text, SEES_ANSWER);
            output.extend(expression.map(|expression| (key.clone(), expression)));
        }
        Some(Operation {
            partner: Arc::clone(partner),
            http: Arc::clone(http),
            key: section.key.clone(),
            name: format!("{}.{}", partner.key, section.key),
            id: section.id,
            title: section.title.clone(),
            titles: section.titles.clone(),
            description: section.description.clone(),
            deprecated: section.deprecated,
            safe_to_repeat: section.safe_to_repeat,
            timeout: section.timeout.map_or(http.timeout, |timeout| timeout.0),
            fields,
            request: request?,
            success: None,
            output,
            sample: section.sample.clone(),
        })
    }

    fn request(&mut self, path: &str, section: &RequestSection) -> Option<RequestTemplate> {
        if !section.path.starts_with('/') {
            self.fail(&format!("{path}.path"), "expected a path that starts with `/`");
        }
        let method = match section.method {
            Method::Get => http::Method::GET,
            Method::Post => http::Method::POST,
            Method::Put => http::Method::PUT,
            Method::Patch => http::Method::PATCH,
            Method::Delete => http::Method::DELETE,
        };
        let query = self.templates(&format!("{path}.query"), &section.query);
        let mut headers = Vec::new();
        for (name, template) in self.templates(&format!("{path}.headers"), &section.headers) {
            let name = self.header(&format!("{path}.headers.{name}"), &name);
            headers.extend(name.map(|name| (name, template)));
        }
        let json = section.json.as_ref().map(|json| self.template(&format!("{path}.json"), json, SEES_CALL));
        let path = self.text(&format!("{path}.path"), &section.path, SEES_CALL);
        Some(RequestTemplate { method, path: path?, query, headers, json: json.flatten() })
    }

    fn templates(&mut self, path: &str, texts: &BTreeMap<String, String>) -> Vec<(String, Template)> {
        let mut templates = Vec::new();
        for (name, text) in texts {
            let template = self.text(&format!("{path}.{name}"), text, SEES_CALL);
            templates.extend(template.map(|template| (name.clone(), template)));
        }
        templates
    }

    fn text(&mut self, path: &str, text: &str, sees: &[Name]) -> Option<Template> {
        self.template(path, &serde_json::Value::from(text), sees)
    }

    fn template(&mut self, path: &str, json: &serde_json::Value, sees: &[Name]) -> Option<Template> {
        match Template::compile(json) {
            Ok(template) => {
                self.check_names(path, sees, |name| template.uses(name));
                Some(template)
            }
            Err(error) => {
                let dot = if error.path.is_empty() || error.path.starts_with('[') { "" } else { "." };
                self.fail(&format!("{path}{dot}{}", error.path), error.message);
                None
            }
        }
    }

    fn expression(&mut self, path: &str, text: &str, sees: &[Name]) -> Option<Expression> {
        match Expression::compile(text) {
            Ok(expression) => {
                self.check_names(path, sees, |name| expression.uses(name));
                Some(expression)
            }
            Err(error) => {
                let hint = text.contains("{{").then(|| "an expression stands here without `{{` and `}}`".to_owned());
                self.errors.push(self.manifest.error(path, error.to_string()).with_hint(hint));
                None
            }
        }
    }

    fn check_names(&mut self, path: &str, sees: &[Name], uses: impl Fn(Name) -> bool) {
        for name in Name::ALL.into_iter().filter(|name| !sees.contains(name) && uses(*name)) {
            let known: Vec<_> = sees.iter().map(|name| format!("`{}`", name.as_str())).collect();
            self.fail(path, format!("there is no `{}` here, only {}", name.as_str(), known.join(", ")));
        }
    }

    fn header(&mut self, path: &str, name: &str) -> Option<HeaderName> {
        let header = name.parse().ok();
        if header.is_none() {
            self.fail(path, format!("`{name}` is no name of a header"));
        }
        header
    }

    fn key(&mut self, path: &str, key: &str) {
        let starts = key.starts_with(|character: char| character.is_ascii_lowercase());
        let plain = key.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte));
        if !starts || !plain || key.len() > 64 {
            let message = format!("expected a name of small letters, digits, `_` and `-`, found `{key}`");
            self.fail(path, message);
        }
    }

    fn id(&mut self, path: &str, id: u64) {
        if id == 0 || id > 1 << 53 {
            self.fail(path, "expected a number from 1 to 2^53");
        }
    }

    fn fail(&mut self, path: &str, message: impl Into<String>) {
        self.errors.push(self.manifest.error(path, message));
    }
}
