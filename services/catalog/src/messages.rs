//! The domain as messages.

use patchbay_connector::{Connector, Field as ManifestField};
use patchbay_proto::catalog::v1::{Choice, Field, FieldsResponse, Operation, Partner, RefreshedList, RowSection};
use serde_json::Value as Json;

use crate::{
    domain::{self, Entry, Form, FormField, FormSection, Found, Refreshed},
    operations::plain_field,
};

pub(crate) fn partner(connector: &Connector) -> Partner {
    let partner = connector.partner();
    let lists = connector.lists().iter().filter(|list| !list.is_static());
    Partner {
        key: partner.key.clone(),
        id: integer(partner.id),
        title: partner.title.clone(),
        titles: partner.titles.clone().into_iter().collect(),
        description: partner.description.clone(),
        categories: partner.categories.clone(),
        region: partner.region.iter().map(|region| i64::from(*region)).collect(),
        deprecated: partner.deprecated,
        version: partner.version.clone(),
        connection_fields: connector.fields().iter().map(connection_field).collect(),
        testable: connector.test().is_some(),
        lists: lists.map(|list| list.name().to_owned()).collect(),
    }
}

pub(crate) fn operation(found: &Found) -> Operation {
    match found {
        Found::Action(action) => Operation {
            name: action.name().to_owned(),
            id: integer(action.id()),
            partner: action.partner().key.clone(),
            kind: "action".to_owned(),
            title: action.title().to_owned(),
            titles: action.titles().clone().into_iter().collect(),
            description: action.description().to_owned(),
            deprecated: action.deprecated(),
            safe_to_repeat: action.safe_to_repeat(),
            modes: Vec::new(),
            sample: json(Some(action.sample())),
        },
        Found::Trigger(trigger) => Operation {
            name: trigger.name().to_owned(),
            id: integer(trigger.id()),
            partner: trigger.partner().key.clone(),
            kind: "trigger".to_owned(),
            title: trigger.title().to_owned(),
            titles: trigger.titles().clone().into_iter().collect(),
            description: trigger.description().to_owned(),
            deprecated: trigger.deprecated(),
            safe_to_repeat: false,
            modes: trigger.modes().into_iter().map(str::to_owned).collect(),
            sample: json(Some(trigger.sample())),
        },
    }
}

pub(crate) fn form(form: Form) -> FieldsResponse {
    FieldsResponse {
        operation: Some(operation(&form.operation)),
        fields: form.fields.into_iter().map(field).collect(),
        row_sections: form.sections.into_iter().map(section).collect(),
    }
}

pub(crate) fn option(entry: &Entry) -> Choice {
    Choice { value: entry.key.clone(), label: entry.label.clone() }
}

pub(crate) fn refreshed(list: Refreshed) -> RefreshedList {
    RefreshedList {
        list: list.list,
        options: i64::try_from(list.options).unwrap_or(i64::MAX),
        error: list.error.unwrap_or_default(),
    }
}

fn connection_field(of_manifest: &ManifestField) -> Field {
    field(plain_field(of_manifest))
}

fn section(section: FormSection) -> RowSection {
    RowSection {
        name: section.name,
        label: section.label,
        help: section.help,
        required: section.required,
        fields: section.fields.into_iter().map(field).collect(),
    }
}

fn field(form: FormField) -> Field {
    Field {
        name: form.name,
        label: form.label,
        help: form.help,
        r#type: form.kind,
        required: form.required,
        default: json(form.default.as_ref()),
        options: form.options.into_iter().map(choice).collect(),
        list: form.list.unwrap_or_default(),
        waits_for: form.waits_for,
        options_error: form.options_error.unwrap_or_default(),
        custom: form.custom,
    }
}

fn choice(choice: domain::Choice) -> Choice {
    Choice { value: choice.value, label: choice.label }
}

/// Empty when there is none.
fn json(value: Option<&Json>) -> bytes::Bytes {
    let value = value.filter(|value| !value.is_null());
    value.map(|value| value.to_string().into()).unwrap_or_default()
}

fn integer(id: u64) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}
