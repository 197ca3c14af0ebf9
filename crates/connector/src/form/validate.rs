//! Input before a run: constants and templates that are not rendered.

use std::collections::BTreeMap;

use patchbay_flow::expression::{Expression, Name, Scope, Template, Value, from_json_value};
use serde_json::{Map, Value as Json};

use super::{Form, MAX_ROWS, RowSection, coerce::default_of};
use crate::{Field, FieldFault, FieldType};

/// Names that have no meaning, or would show secrets, in the input of a step.
const NOT_IN_STEPS: [Name; 6] = [Name::Connection, Name::Input, Name::Body, Name::Status, Name::Headers, Name::Test];

/// Whether an input may hold templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Texts {
    /// As in a step.
    Templates,
    /// As in the parameters of a trigger.
    Constants,
}

/// What is known about a field before a run.
enum Known {
    /// Not given, and no default.
    Absent,
    Constant(Value),
    /// A template decides.
    Later,
}

/// What is known about all fields, by name.
type KnownFields<'form> = BTreeMap<&'form str, Known>;

impl Form {
    /// Checks input as it is written, with templates not rendered. A field that is shown or required only under a
    /// condition is checked as far as constants decide the condition.
    ///
    /// # Errors
    /// Every field that is unknown, missing, a constant of a wrong type, or a template that can't be compiled.
    pub(crate) fn validate(&self, input: &Json, texts: Texts) -> Result<(), Vec<FieldFault>> {
        let Json::Object(given) = input else {
            return Err(vec![FieldFault::new("", "expected an object with the operation's fields")]);
        };
        let mut faults = Vec::new();
        let mut has_custom = false;
        for (name, value) in given {
            if !self.knows(name) {
                faults.push(self.unknown(name));
            } else if self.custom_key(name).is_some() {
                has_custom |= !value.is_null();
                faults.extend(read_text(name, value, texts).err());
            }
        }
        let mut known = examine_fields(&self.fields, given, texts, &mut faults);
        let into = self.custom_fields.as_ref().filter(|_| has_custom).and_then(|custom| custom.into.as_deref());
        if let Some(into) = into {
            known.insert(into, Known::Later);
        }
        let sections: Vec<_> =
            self.row_sections.iter().map(|section| section.examine(given.get(&section.name), texts)).collect();
        // Conditions see the rows too.
        known.extend(sections.iter().map(|rows| (rows.section.name.as_str(), rows.known())));
        let missing = self.fields.iter().filter(|field| is_missing(field, &known, None));
        faults.extend(missing.map(|field| FieldFault::missing(&field.name, "required")));
        for rows in sections {
            rows.finish(&known, &mut faults);
        }
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }
}

/// What is known about the rows of a section before a run.
struct KnownRows<'form> {
    section: &'form RowSection,
    rows: Rows<'form>,
    /// What is wrong with the section as a whole.
    faults: Vec<FieldFault>,
}

enum Rows<'form> {
    /// A template decides, or what is given is wrong as a whole.
    Later,
    Absent,
    Given(Vec<KnownRow<'form>>),
}

struct KnownRow<'form> {
    /// `None` when a template decides, or the row is wrong as a whole.
    fields: Option<KnownFields<'form>>,
    faults: Vec<FieldFault>,
}

impl RowSection {
    fn examine(&self, given: Option<&Json>, texts: Texts) -> KnownRows<'_> {
        let later = |fault: Option<FieldFault>| KnownRows {
            section: self,
            rows: Rows::Later,
            faults: fault.into_iter().collect(),
        };
        let no_rows = || FieldFault::new(&self.name, "expected a list of rows");
        let rows: &[Json] = match given {
            None | Some(Json::Null) => return KnownRows { section: self, rows: Rows::Absent, faults: Vec::new() },
            Some(Json::Array(rows)) => rows.as_slice(),
            Some(row @ Json::Object(_)) => std::slice::from_ref(row),
            Some(text @ Json::String(_)) => {
                return later(read_text(&self.name, text, texts).map_or_else(Some, |text| text.map(|_| no_rows())));
            }
            Some(_) => return later(Some(no_rows())),
        };
        if rows.len() > MAX_ROWS {
            let message = format!("expected at most {MAX_ROWS} rows, found {}", rows.len());
            return later(Some(FieldFault::new(&self.name, message)));
        }
        let rows = rows.iter().map(|row| self.examine_row(row, texts)).collect();
        KnownRows { section: self, rows: Rows::Given(rows), faults: Vec::new() }
    }

    fn examine_row(&self, row: &Json, texts: Texts) -> KnownRow<'_> {
        let no_row = || FieldFault::new("", "expected an object with the fields of the row");
        let fault = match row {
            Json::Object(row) => {
                let unknown = row.keys().filter(|name| !self.fields.iter().any(|field| field.name == **name));
                let mut faults = unknown.map(|name| self.unknown(name)).collect();
                let fields = Some(examine_fields(&self.fields, row, texts, &mut faults));
                return KnownRow { fields, faults };
            }
            Json::String(_) => read_text("", row, texts).map_or_else(Some, |text| text.map(|_| no_row())),
            _ => Some(no_row()),
        };
        KnownRow { fields: None, faults: fault.into_iter().collect() }
    }
}

impl KnownRows<'_> {
    /// The rows as conditions see them: certain only when no template is in any of them.
    fn known(&self) -> Known {
        let rows = match &self.rows {
            Rows::Later => return Known::Later,
            Rows::Absent => return Known::Absent,
            Rows::Given(rows) => rows,
        };
        let is_certain = |row: &KnownRow<'_>| {
            row.fields.as_ref().is_some_and(|fields| !fields.values().any(|state| matches!(state, Known::Later)))
        };
        if !rows.iter().all(is_certain) {
            return Known::Later;
        }
        Known::Constant(rows.iter().filter_map(|row| row.fields.as_ref().map(constants)).collect())
    }

    /// Adds what was wrong, and what is missing over this input.
    fn finish(self, input: &KnownFields<'_>, faults: &mut Vec<FieldFault>) {
        faults.extend(self.faults);
        let rows = match self.rows {
            Rows::Later => return,
            Rows::Absent => Vec::new(),
            Rows::Given(rows) => rows,
        };
        if rows.is_empty() && self.section.required {
            faults.push(FieldFault::missing(&self.section.name, "required"));
        }
        for (index, row) in rows.into_iter().enumerate() {
            let mut faults_of_row = row.faults;
            if let Some(item) = &row.fields {
                let missing = self.section.fields.iter().filter(|field| is_missing(field, input, Some(item)));
                faults_of_row.extend(missing.map(|field| FieldFault::missing(&field.name, "required")));
            }
            let place = self.section.place(index);
            faults.extend(faults_of_row.into_iter().map(|fault| fault.inside(&place)));
        }
    }
}

fn examine_fields<'form>(
    fields: &'form [Field],
    given: &Map<String, Json>,
    texts: Texts,
    faults: &mut Vec<FieldFault>,
) -> KnownFields<'form> {
    let mut known = BTreeMap::new();
    for field in fields {
        let state = examine(field, given.get(&field.name), texts).unwrap_or_else(|fault| {
            faults.push(fault);
            Known::Later
        });
        known.insert(field.name.as_str(), state);
    }
    known
}

fn examine(field: &Field, given: Option<&Json>, texts: Texts) -> Result<Known, FieldFault> {
    let is_given = |value: &&Json| !value.is_null() || field.kind == FieldType::NullableBoolean;
    let Some(given) = given.filter(is_given) else {
        return Ok(default_of(field)?.map_or(Known::Absent, Known::Constant));
    };
    if let Some(value) = read_text(&field.name, given, texts)? {
        return Ok(match field.coerce(&value)? {
            Some(value) => Known::Constant(value),
            None => default_of(field)?.map_or(Known::Absent, Known::Constant),
        });
    }
    // With templates inside, only the outer shape is certain.
    let fits = match (&field.kind, given) {
        (FieldType::Any, _) | (FieldType::Object, Json::Object(_)) | (FieldType::List(_), Json::Array(_)) => true,
        (FieldType::List(item), Json::Object(_)) => matches!(**item, FieldType::Object | FieldType::Any),
        (_, Json::Object(_) | Json::Array(_)) => false,
        _ => true,
    };
    if !fits {
        return Err(FieldFault::new(&field.name, format!("expected {}", field.kind.described())));
    }
    Ok(Known::Later)
}

/// The value when no template is in it.
fn read_text(name: &str, given: &Json, texts: Texts) -> Result<Option<Value>, FieldFault> {
    if texts == Texts::Constants {
        let has_templates = Template::compile(given).is_ok_and(|template| !template.is_constant());
        if has_templates {
            return Err(FieldFault::new(name, "a parameter of a trigger is a constant, not a template"));
        }
        return Ok(Some(from_json_value(given)));
    }
    let template = Template::compile(given).map_err(|error| FieldFault::new(error.path, error.message).inside(name))?;
    if let Some(foreign) = NOT_IN_STEPS.into_iter().find(|foreign| template.uses(*foreign)) {
        let message =
            format!("a step can't see `{}`; it sees `trigger`, `trigger_meta`, `steps` and `now`", foreign.as_str());
        return Err(FieldFault::new(name, message));
    }
    Ok(template.literal().cloned())
}

fn is_missing(field: &Field, input: &KnownFields<'_>, item: Option<&KnownFields<'_>>) -> bool {
    let empty = match item.unwrap_or(input).get(field.name.as_str()) {
        Some(Known::Later) => false,
        Some(Known::Constant(value)) => field.is_empty(Some(value)),
        Some(Known::Absent) | None => true,
    };
    if !empty {
        return false;
    }
    let decided = |condition: &Expression| decide(condition, input, item);
    let shown = field.show_when.as_ref().map_or(Some(true), decided);
    let required = field.required || field.required_when.as_ref().is_some_and(|when| decided(when) == Some(true));
    required && shown == Some(true)
}

/// Whether a condition holds, when what it looks at is known.
fn decide(condition: &Expression, input: &KnownFields<'_>, item: Option<&KnownFields<'_>>) -> Option<bool> {
    let nothing = BTreeMap::new();
    let item = item.unwrap_or(&nothing);
    for path in condition.paths() {
        let mut keys = path.split('.');
        let known = if keys.next() == Some(Name::Item.as_str()) { item } else { input };
        let certain = match keys.next() {
            Some(field) => !matches!(known.get(field), Some(Known::Later)),
            None => !known.values().any(|state| matches!(state, Known::Later)),
        };
        if !certain {
            return None;
        }
    }
    let scope = Scope::new().with(Name::Input, constants(input)).with(Name::Item, constants(item));
    condition.is_true(&scope).ok()
}

fn constants(known: &KnownFields<'_>) -> Value {
    let constants = known.iter().filter_map(|(name, state)| match state {
        Known::Constant(value) => Some((*name, value.clone())),
        Known::Absent | Known::Later => None,
    });
    Value::from_pairs(constants)
}
