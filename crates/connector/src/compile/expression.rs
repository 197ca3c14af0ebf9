//! Expressions and templates, and what they may see.

use std::collections::{BTreeMap, BTreeSet};

use patchbay_flow::expression::{Expression, Name, Template};

use super::Compiler;
use crate::manifest::closest;

/// What an expression may see, and which keys are behind the names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sees<'names> {
    names: &'static [Name],
    /// The keys of `input`; any when it is not here.
    input: Option<&'names [&'names str]>,
    /// The keys of `item`; any when it is not here.
    item: Option<&'names [&'names str]>,
    /// What to do about a key of `input` that is not here, in place of naming those that are.
    input_hint: Option<&'static str>,
}

impl<'names> Sees<'names> {
    pub(super) const fn new(names: &'static [Name]) -> Self {
        Self { names, input: None, item: None, input_hint: None }
    }

    pub(super) const CONNECTION: Self = Self::new(&[Name::Connection]);
    pub(super) const CALL: Self = Self::new(&[Name::Connection, Name::Input]);
    pub(super) const ANSWER: Self = Self::new(&[Name::Input, Name::Status, Name::Headers, Name::Body]);

    pub(super) const fn with_input(self, input: &'names [&'names str]) -> Self {
        Self { input: Some(input), ..self }
    }

    pub(super) const fn with_input_hint(self, hint: &'static str) -> Self {
        Self { input_hint: Some(hint), ..self }
    }

    pub(super) const fn with_item(self, item: &'names [&'names str]) -> Self {
        Self { item: Some(item), ..self }
    }
}

impl Compiler<'_> {
    pub(super) fn text(&mut self, path: &str, text: &str, sees: Sees<'_>) -> Option<Template> {
        self.template(path, &serde_json::Value::from(text), sees)
    }

    pub(super) fn template(&mut self, path: &str, json: &serde_json::Value, sees: Sees<'_>) -> Option<Template> {
        match Template::compile(json) {
            Ok(template) => {
                self.check_leaves(path, json, sees);
                Some(template)
            }
            Err(error) => {
                let dot = if error.path.is_empty() || error.path.starts_with('[') { "" } else { "." };
                self.refuse(&format!("{path}{dot}{}", error.path), &error.message, sees, None);
                None
            }
        }
    }

    /// Checks each text of a template on its own, so that a mistake is told where it stands.
    fn check_leaves(&mut self, path: &str, json: &serde_json::Value, sees: Sees<'_>) {
        match json {
            serde_json::Value::Object(entries) => {
                entries.iter().for_each(|(key, value)| self.check_leaves(&format!("{path}.{key}"), value, sees));
            }
            serde_json::Value::Array(items) => {
                let indexed = items.iter().enumerate();
                indexed.for_each(|(index, item)| self.check_leaves(&format!("{path}[{index}]"), item, sees));
            }
            leaf => {
                let Ok(template) = Template::compile(leaf) else { return };
                self.check_names(path, sees, |name| template.uses(name));
                self.check_paths(path, sees, template.paths());
            }
        }
    }

    /// What the language says about a text, with the names that there are in this place.
    fn refuse(&mut self, path: &str, message: &str, sees: Sees<'_>, hint: Option<&str>) {
        let unknown = message.strip_prefix("unknown name `").and_then(|rest| rest.split('`').next());
        match unknown {
            Some(name) => {
                let known: Vec<_> = sees.names.iter().map(|name| format!("`{}`", name.as_str())).collect();
                let hint = closest(name, sees.names.iter().map(|name| name.as_str()));
                let message = format!("unknown name `{name}`, expected one of {}", known.join(", "));
                self.errors.push(self.manifest.error(path, message).with_hint(hint));
            }
            None => self.errors.push(self.manifest.error(path, message).with_hint(hint.map(str::to_owned))),
        }
    }

    pub(super) fn templates(
        &mut self,
        path: &str,
        texts: &BTreeMap<String, String>,
        sees: Sees<'_>,
    ) -> Vec<(String, Template)> {
        let mut templates = Vec::new();
        for (name, text) in texts {
            let template = self.text(&format!("{path}.{name}"), text, sees);
            templates.extend(template.map(|template| (name.clone(), template)));
        }
        templates
    }

    pub(super) fn expression(&mut self, path: &str, text: &str, sees: Sees<'_>) -> Option<Expression> {
        match Expression::compile(text) {
            Ok(expression) => {
                self.check_names(path, sees, |name| expression.uses(name));
                self.check_paths(path, sees, expression.paths());
                Some(expression)
            }
            Err(error) => {
                self.refuse(path, &error.to_string(), sees, syntax_hint(text));
                None
            }
        }
    }

    pub(super) fn optional_expression(
        &mut self,
        path: &str,
        text: Option<&String>,
        sees: Sees<'_>,
    ) -> Option<Expression> {
        text.and_then(|text| self.expression(path, text, sees))
    }

    fn check_names(&mut self, path: &str, sees: Sees<'_>, uses: impl Fn(Name) -> bool) {
        for name in Name::ALL.into_iter().filter(|name| !sees.names.contains(name) && uses(*name)) {
            let known: Vec<_> = sees.names.iter().map(|name| format!("`{}`", name.as_str())).collect();
            let known = if known.is_empty() { "constants".to_owned() } else { known.join(", ") };
            self.fail(path, format!("there is no `{}` here, only {known}", name.as_str()));
        }
    }

    /// A field that is not there would be undefined without a word.
    fn check_paths(&mut self, path: &str, sees: Sees<'_>, used: BTreeSet<String>) {
        for used in used {
            let mut keys = used.split('.');
            let (Some(root), Some(key)) = (keys.next().and_then(Name::parse), keys.next()) else { continue };
            if !sees.names.contains(&root) {
                continue;
            }
            let (what, known) = match root {
                Name::Connection => ("field of the connection", Some(self.connection_fields.clone())),
                Name::Input => ("field", sees.input.map(<[_]>::to_vec)),
                Name::Item => ("field of the row", sees.item.map(<[_]>::to_vec)),
                Name::Test => ("part of the answer", Some(vec!["body", "status"])),
                _ => continue,
            };
            let Some(known) = known.filter(|known| !known.contains(&key)) else { continue };
            match sees.input_hint.filter(|_| root == Name::Input) {
                Some(hint) => self.fail_with(path, format!("there is no {what} `{key}`"), hint),
                None => self.unknown(path, what, key, &known),
            }
        }
    }
}

/// What usually helps when a text is no expression.
fn syntax_hint(text: &str) -> Option<&'static str> {
    if text.contains("{{") {
        return Some("an expression stands here without `{{` and `}}`");
    }
    if text.contains("&&") || text.contains("||") {
        return Some("write `and`, `or` and `not`");
    }
    let without_comparisons =
        ["==", "!=", "<=", ">="].iter().fold(text.to_owned(), |text, sign| text.replace(sign, ""));
    without_comparisons.contains('=').then_some("`==` compares")
}
