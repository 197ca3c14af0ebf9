//! From a manifest of the right shape to a connector that makes sense.

mod auth;
mod connection;
mod expression;
mod field;
mod form;
mod http;
mod list;
mod operation;
mod request;
mod trigger;
mod verify;

use std::{sync::Arc, time::Duration};

use ::http::HeaderName;

use crate::{
    Connector, Manifest, ManifestError, Partner,
    manifest::{
        SCHEMA, closest,
        document::{Document, OperationKind, Seconds},
        listed, there_are,
    },
};

const MAX_OPERATIONS: usize = 500;
const MAX_LISTS: usize = 500;
const MAX_TIMEOUT: Duration = Duration::from_secs(10 * 60);
const MAX_DAY: Duration = Duration::from_secs(24 * 60 * 60);
const MAX_ID: u64 = 1 << 53;
/// The client frames messages itself (RFC 9112), and refuses these.
const RESERVED_HEADERS: [&str; 9] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "upgrade",
];

impl Connector {
    /// Checks everything that the manifest says and compiles it.
    ///
    /// # Errors
    /// All mistakes, each with its place.
    pub fn compile(manifest: Manifest) -> Result<Self, Vec<ManifestError>> {
        let fields = &manifest.document.connection.fields;
        let connection_fields = fields.iter().filter_map(|field| field.name.as_deref()).collect();
        let mut compiler = Compiler { manifest: &manifest, connection_fields, errors: Vec::new() };
        let connector = compiler.connector();
        let errors = compiler.errors;
        connector.filter(|_| errors.is_empty()).ok_or(errors)
    }
}

/// Goes on after a mistake, so that a person sees all of them at once. What returns `None` has said why.
struct Compiler<'manifest> {
    manifest: &'manifest Manifest,
    /// The names that expressions may use behind `connection.`.
    connection_fields: Vec<&'manifest str>,
    errors: Vec<ManifestError>,
}

impl<'manifest> Compiler<'manifest> {
    fn document(&self) -> &'manifest Document {
        &self.manifest.document
    }

    fn connector(&mut self) -> Option<Connector> {
        let document = self.document();
        if document.schema != SCHEMA {
            self.fail("schema", format!("expected `{SCHEMA}`, found `{}`", document.schema));
        }
        let partner = Arc::new(self.partner());
        let fields = self.connection_fields();
        let http = self.http(&fields).map(Arc::new);
        let budget = self.budget();
        let label = self.label(&fields);
        self.unique();
        // Without the common part there is nothing to build on, but everything else is checked all the same.
        let lists = self.lists(http.as_ref());
        let (operations, triggers) = self.operations(&partner, http.as_ref());
        let test = document.connection.test.as_ref();
        let test = test.and_then(|section| self.test(section, &partner, http.as_ref())).map(Arc::new);
        Some(Connector { partner, fields, http: http?, budget, label, lists, test, operations, triggers })
    }

    fn partner(&mut self) -> Partner {
        let section = &self.document().partner;
        self.key("partner.key", &section.key);
        self.id("partner.id", section.id);
        self.words("partner.title", &section.title);
        self.words("partner.version", &section.version);
        Partner {
            key: section.key.clone(),
            id: section.id,
            title: section.title.clone(),
            titles: section.titles.clone(),
            description: section.description.clone(),
            categories: section.categories.clone(),
            region: section.region.clone(),
            deprecated: section.deprecated,
            version: section.version.clone(),
        }
    }

    /// Actions and triggers share keys and ids.
    fn unique(&mut self) {
        let operations = &self.document().operations;
        if operations.len() > MAX_OPERATIONS {
            let message = format!("expected at most {MAX_OPERATIONS} operations, found {}", operations.len());
            self.fail("operations", message);
            return;
        }
        let what = |kind| if kind == OperationKind::Action { "action" } else { "trigger" };
        for (index, section) in operations.iter().enumerate() {
            let path = format!("operations[{index}]");
            self.key(&format!("{path}.key"), &section.key);
            self.id(&format!("{path}.id"), section.id);
            self.words(&format!("{path}.title"), &section.title);
            if let Some(other) = operations[..index].iter().find(|other| other.key == section.key) {
                let message = format!("another {} has the key `{}`", what(other.kind), section.key);
                self.fail(&format!("{path}.key"), message);
            }
            if let Some(other) = operations[..index].iter().find(|other| other.id == section.id) {
                let message = format!("the {} `{}` has the id {} too", what(other.kind), other.key, section.id);
                self.fail_with(&format!("{path}.id"), message, "ids are never used twice; take a new one");
            }
        }
    }

    fn timeout(&mut self, path: &str, timeout: Seconds) -> Duration {
        if timeout.0 > MAX_TIMEOUT {
            self.fail(path, "expected at most `10m`");
        }
        timeout.0
    }

    fn header(&mut self, path: &str, name: &str) -> Option<HeaderName> {
        let Ok(header) = name.parse::<HeaderName>() else {
            self.fail(path, format!("`{name}` is no name of a header"));
            return None;
        };
        if RESERVED_HEADERS.contains(&header.as_str()) {
            let message = format!("the header `{header}` is set by the client and can't be set here");
            self.fail_with(path, message, "leave it out");
            return None;
        }
        Some(header)
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
        if id == 0 || id > MAX_ID {
            self.fail(path, "expected a number from 1 to 2^53");
        }
    }

    /// What people read can't be empty.
    fn words(&mut self, path: &str, text: &str) {
        if text.trim().is_empty() {
            self.fail(path, "expected words for people, found nothing");
        }
    }

    /// Checks which keys a section has that says by its kind which there are.
    fn keys_of_kind(&mut self, path: &str, given: &[(&str, bool)], wanted: &[&str], optional: &[&str]) {
        let known = listed(wanted.iter().chain(optional).copied());
        let known = if known.is_empty() { "no other keys".to_owned() } else { known };
        for (name, is_given) in given {
            if wanted.contains(name) && !is_given {
                self.fail(path, format!("the key `{name}` is missing"));
            }
            if *is_given && !wanted.contains(name) && !optional.contains(name) {
                self.fail(&format!("{path}.{name}"), format!("has no meaning for this kind, which takes {known}"));
            }
        }
    }

    /// Refuses keys that leave no room for each other; whether at most one of them is given.
    fn exclusive(&mut self, path: &str, given: &[(&str, bool)]) -> bool {
        let given: Vec<_> = given.iter().filter(|(_, given)| *given).map(|(name, _)| format!("`{name}`")).collect();
        match given.as_slice() {
            [] | [_] => return true,
            [one, other] => self.fail(path, format!("both {one} and {other} are given; leave one out")),
            several => self.fail(path, format!("{} are all given; keep one", several.join(", "))),
        }
        false
    }

    fn unknown(&mut self, path: &str, what: &str, name: &str, known: &[&str]) {
        let hint = closest(name, known.iter().copied()).unwrap_or_else(|| there_are(known.iter().copied()));
        self.fail_with(path, format!("there is no {what} `{name}`"), hint);
    }

    fn fail(&mut self, path: &str, message: impl Into<String>) {
        self.errors.push(self.manifest.error(path, message));
    }

    fn fail_with(&mut self, path: &str, message: impl Into<String>, hint: impl Into<String>) {
        self.errors.push(self.manifest.error(path, message).with_hint(Some(hint.into())));
    }
}
