//! One field.

use patchbay_flow::expression::from_json_value;
use regex_lite::Regex;

use super::{
    Compiler,
    form::{Place, names_of},
};
use crate::{
    Choice, Field, FieldType,
    field::Validation,
    manifest::document::{FieldSection, ValidationRules, ValidationSection},
};

const MAX_OPTIONS: usize = 1_000;
const MAX_PATTERN_BYTES: usize = 1_000;

impl<'manifest> Compiler<'manifest> {
    /// Fields in their order, without the entry that stands for those of the account. `input` are the names that
    /// conditions may use behind `input.`.
    pub(super) fn fields(
        &mut self,
        path: &str,
        sections: &'manifest [FieldSection],
        place: Place,
        input: &[&str],
    ) -> Vec<Field> {
        let own = names_of(sections);
        let mut fields = Vec::new();
        for (index, section) in sections.iter().enumerate() {
            let path = format!("{path}[{index}]");
            if section.custom_fields.is_none() {
                fields.extend(self.field(&path, section, place, input, &own));
            } else if matches!(place, Place::Connection | Place::Row) {
                self.fail(&format!("{path}.custom_fields"), "only an action has fields that the account defines");
            }
            let earlier = &sections[..index];
            let twice =
                section.name.as_ref().filter(|name| earlier.iter().any(|other| other.name.as_ref() == Some(name)));
            if let Some(name) = twice {
                self.fail(&format!("{path}.name"), format!("another field has the name `{name}`"));
            }
        }
        fields
    }

    fn field(
        &mut self,
        path: &str,
        section: &'manifest FieldSection,
        place: Place,
        input: &[&str],
        own: &[&str],
    ) -> Option<Field> {
        for (name, given) in [("prefix", section.prefix.is_some()), ("into", section.into.is_some())] {
            if given {
                self.fail(&format!("{path}.{name}"), "has no meaning without `custom_fields`");
            }
        }
        for (name, given) in
            [("name", section.name.is_some()), ("label", section.label.is_some()), ("type", section.kind.is_some())]
        {
            if !given {
                self.fail(path, format!("the key `{name}` is missing"));
            }
        }
        let (name, label, kind) = (section.name.as_ref()?, section.label.as_ref()?, section.kind.as_ref()?);
        self.key(&format!("{path}.name"), name);
        self.words(&format!("{path}.label"), label);
        self.check_place(path, section, kind, place);
        let sees = Self::sees_of(place, input, own);
        let required_when =
            self.optional_expression(&format!("{path}.required_when"), section.required_when.as_ref(), sees);
        let show_when = self.optional_expression(&format!("{path}.show_when"), section.show_when.as_ref(), sees);
        let validate = section.validate.as_ref();
        let validate = validate.and_then(|validate| self.validation(&format!("{path}.validate"), validate, kind));
        let field = Field {
            name: name.clone(),
            label: label.clone(),
            help: section.help.clone(),
            kind: kind.clone(),
            required: section.required,
            required_when,
            show_when,
            default: section.default.clone(),
            validate,
            options: self.options(path, section, kind, input, own),
            list: section.list.clone(),
        };
        if let Some(default) = &section.default {
            self.check_default(&format!("{path}.default"), default, &field, place);
        }
        Some(field)
    }

    fn check_default(&mut self, path: &str, default: &serde_json::Value, field: &Field, place: Place) {
        // In JSON two braces stand side by side only inside a text.
        if place == Place::Trigger && default.to_string().contains("{{") {
            self.fail(path, "a parameter of a trigger is a constant, not a template");
        } else if let Err(fault) = field.coerce(&from_json_value(default)) {
            self.fail(path, fault.message);
        }
    }

    fn check_place(&mut self, path: &str, section: &FieldSection, kind: &FieldType, place: Place) {
        let simple = matches!(kind, FieldType::String | FieldType::Secret | FieldType::Integer | FieldType::Boolean);
        let type_path = format!("{path}.type");
        if place != Place::Connection {
            if *kind.of_one() == FieldType::Secret {
                self.fail(&type_path, "only a connection has secrets");
            }
            return;
        }
        if !simple {
            self.fail(&type_path, "expected `string`, `secret`, `integer` or `boolean` for a field of a connection");
        }
        if section.show_when.is_some() || section.required_when.is_some() {
            self.fail(path, "a field of a connection can't have conditions");
        }
        if section.list.is_some() {
            let hint = "lists are read with a connection; use `options`";
            self.fail_with(&format!("{path}.list"), "a field of a connection can't have a list", hint);
        }
    }

    /// The only values of the field: its own, or those of a fixed list.
    fn options(
        &mut self,
        path: &str,
        section: &'manifest FieldSection,
        kind: &FieldType,
        input: &[&str],
        own: &[&str],
    ) -> Vec<Choice> {
        let options = format!("{path}.options");
        let may_choose = matches!(kind.of_one(), FieldType::String | FieldType::Integer);
        if !section.options.is_empty() && !may_choose {
            self.fail(&options, "only a field of type `string` or `integer`, or a list of these, can have options");
        }
        self.check_options(&options, &section.options, kind);
        let Some(name) = &section.list else { return section.options.clone() };
        let list = format!("{path}.list");
        self.exclusive(&list, &[("list", true), ("options", !section.options.is_empty())]);
        if *kind.of_one() == FieldType::Object {
            self.fail(&list, "what is chosen from a list is no object");
        }
        let mut names = input.to_vec();
        names.extend(own);
        self.check_list(&list, name, &names);
        let fixed = self.document().lists.get(name).and_then(|list| list.options.as_ref());
        if let Some(fixed) = fixed {
            self.check_options(&list, fixed, kind);
        }
        fixed.cloned().unwrap_or_default()
    }

    fn check_options(&mut self, path: &str, options: &[Choice], kind: &FieldType) {
        if options.len() > MAX_OPTIONS {
            self.fail(path, format!("expected at most {MAX_OPTIONS} options, found {}", options.len()));
            return;
        }
        for (index, choice) in options.iter().enumerate() {
            if options[..index].iter().any(|other| other.value == choice.value) {
                self.fail(path, format!("the option `{}` is there twice", choice.value));
            }
            if *kind.of_one() == FieldType::Integer && choice.value.parse::<i64>().is_err() {
                self.fail(path, format!("expected whole numbers for this type, found `{}`", choice.value));
            }
        }
    }

    fn validation(&mut self, path: &str, section: &ValidationSection, kind: &FieldType) -> Option<Validation> {
        let kind = kind.of_one();
        let named = |validation| (validation, *kind == FieldType::String, "`string`");
        let (validation, fits, expected) = match section {
            ValidationSection::Host => named(Validation::Host),
            ValidationSection::Email => named(Validation::Email),
            ValidationSection::Url => named(Validation::Url),
            ValidationSection::Rules(rules) => {
                let validation = self.rules(path, rules)?;
                let is_number = matches!(kind, FieldType::Integer | FieldType::Decimal);
                let is_text =
                    matches!(kind, FieldType::String | FieldType::Secret | FieldType::Phone | FieldType::File);
                match validation {
                    Validation::Range { .. } => (validation, is_number, "`integer` or `decimal`"),
                    _ => (validation, is_text, "`string`, `secret`, `phone` or `file`"),
                }
            }
        };
        if !fits {
            self.fail(path, format!("has no meaning for this type, only for {expected}"));
        }
        Some(validation)
    }

    fn rules(&mut self, path: &str, rules: &ValidationRules) -> Option<Validation> {
        let ValidationRules { min, max, pattern, message, max_length } = rules;
        let is_range = min.is_some() || max.is_some();
        if message.is_some() && pattern.is_none() {
            self.fail(&format!("{path}.message"), "has no meaning without `pattern`");
        }
        let range = if min.is_some() { "min" } else { "max" };
        let given = [(range, is_range), ("pattern", pattern.is_some()), ("max_length", max_length.is_some())];
        if !self.exclusive(path, &given) {
            return None;
        }
        match (is_range, pattern, max_length) {
            (true, None, None) => {
                let numbers = [min, max].into_iter().flatten().all(|number| number.is_finite());
                if !numbers || min.zip(*max).is_some_and(|(min, max)| min > max) {
                    self.fail(path, "expected `min` to be at most `max`");
                }
                Some(Validation::Range { min: *min, max: *max })
            }
            (false, Some(pattern), None) => {
                let Some(message) = message else {
                    let hint = "say what is expected, such as `message: expected five digits`";
                    self.fail_with(path, "the key `message` is missing", hint);
                    return None;
                };
                let pattern = self.pattern(&format!("{path}.pattern"), pattern)?;
                Some(Validation::Pattern { pattern, message: message.clone() })
            }
            (false, None, Some(0)) => {
                self.fail(&format!("{path}.max_length"), "expected a number above zero");
                None
            }
            (false, None, Some(max_length)) => Some(Validation::MaxLength(*max_length)),
            _ => {
                let message = "expected one of `min` and `max`, `pattern` with `message`, or `max_length`";
                self.fail(path, message);
                None
            }
        }
    }

    fn pattern(&mut self, path: &str, pattern: &str) -> Option<Regex> {
        if pattern.len() > MAX_PATTERN_BYTES {
            self.fail(path, format!("expected at most {MAX_PATTERN_BYTES} bytes"));
            return None;
        }
        // The pattern alone must be one, so that it can't close the group around it.
        let compiled = Regex::new(pattern).and_then(|_| Regex::new(&format!("^(?:{pattern})$")));
        match compiled {
            Ok(compiled) => Some(compiled),
            Err(error) => {
                let hint = "see <https://docs.rs/regex-lite> for what patterns are made of";
                self.fail_with(path, format!("not a regular expression: {error}"), hint);
                None
            }
        }
    }
}
