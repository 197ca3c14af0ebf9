//! What a person fills in for an operation.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures_util::{StreamExt, stream};
use patchbay_connector::{Connector, CustomFields, Field, FieldType, RowSection};
use patchbay_types::{ConnectionId, Fault, WorkspaceId};

use super::{AT_ONCE, Directory, options::fixed};
use crate::{
    domain::{Account, Choice, Entry, Form, FormField, FormSection, Found, Kept, Question},
    inputs::{self, Known},
};

/// What is known of a list of the account.
#[derive(Debug)]
enum Source {
    /// The manifest itself holds it.
    Fixed(Kept),
    Entries(Arc<Kept>),
    WaitsFor(Vec<String>),
    Failed(String),
}

/// The lists that a form needs. Without an account, only those that the manifest holds.
type Sources = BTreeMap<String, Source>;

impl Directory {
    /// The fields of an operation that are shown for what is filled in so far, with the options of the account. A
    /// list that can't be had is said on its field.
    pub(crate) async fn fields(
        &self,
        workspace: WorkspaceId,
        operation: &str,
        connection: Option<ConnectionId>,
        input: &[u8],
    ) -> Result<Form, Fault> {
        let (connector, operation) = self.find(operation)?;
        let given = inputs::read(input)?;
        let account = match connection {
            Some(id) => Some(self.account_at(workspace, id, &connector).await?),
            None => None,
        };
        let known = Known::new(&given, operation.fields());
        let shown: Vec<&Field> = operation.fields().iter().filter(|field| field.is_shown(&known.values)).collect();
        let (sections, custom) = extras(&operation);
        let of_sections = sections.iter().flat_map(RowSection::fields);
        let needed = shown.iter().copied().chain(of_sections).filter_map(Field::list);
        let needed: BTreeSet<&str> = needed.chain(custom.map(CustomFields::list)).collect();
        let sources = self.sources(&connector, account.as_ref(), &known, needed).await;

        let mut fields: Vec<FormField> = shown.into_iter().map(|field| form_field(field, &known, &sources)).collect();
        if let Some(custom) = custom {
            fields.extend(custom_fields(custom, &sources));
        }
        let sections = sections.iter().map(|section| form_section(section, &known, &sources)).collect();
        Ok(Form { operation, fields, sections })
    }

    /// As [`Self::account`], if it is one of this partner.
    async fn account_at(
        &self,
        workspace: WorkspaceId,
        id: ConnectionId,
        connector: &Connector,
    ) -> Result<Account, Fault> {
        let account = self.account(workspace, id).await?;
        let (wanted, found) = (connector.partner(), account.connector.partner());
        if wanted.key == found.key {
            return Ok(account);
        }
        let message = format!("connection {id} is one to {found}; choose one to {wanted}");
        Err(Fault::invalid(message).with_field("connection_id"))
    }

    async fn sources(
        &self,
        connector: &Connector,
        account: Option<&Account>,
        known: &Known,
        needed: BTreeSet<&str>,
    ) -> Sources {
        let deadline = self.lists.deadline();
        let mut sources = Sources::new();
        let mut questions = Vec::new();
        for list in needed.into_iter().filter_map(|name| connector.list(name)) {
            let name = list.name().to_owned();
            if list.is_static() {
                sources.insert(name, Source::Fixed(fixed(list)));
                continue;
            }
            let Some(account) = account else { continue };
            match known.inputs_of(list) {
                Ok(inputs) => questions.push(Question { account: account.clone(), list: Arc::clone(list), inputs }),
                Err(missing) => {
                    sources.insert(name, Source::WaitsFor(missing));
                }
            }
        }
        let asked = stream::iter(questions).map(|question| async move {
            let name = question.list.name().to_owned();
            let source = match self.lists.get(question, deadline).await {
                Ok(kept) => Source::Entries(kept),
                Err(fault) => Source::Failed(fault.message),
            };
            (name, source)
        });
        sources.extend(asked.buffered(AT_ONCE).collect::<Vec<_>>().await);
        sources
    }
}

fn extras(operation: &Found) -> (&[RowSection], Option<&CustomFields>) {
    match operation {
        Found::Action(operation) => (operation.row_sections(), operation.custom_fields()),
        Found::Trigger(_) => (&[], None),
    }
}

fn form_section(section: &RowSection, known: &Known, sources: &Sources) -> FormSection {
    FormSection {
        name: section.name().to_owned(),
        label: section.label().to_owned(),
        help: section.help().to_owned(),
        required: section.required(),
        fields: section.fields().iter().map(|field| form_field(field, known, sources)).collect(),
    }
}

fn form_field(field: &Field, known: &Known, sources: &Sources) -> FormField {
    let mut form = plain_field(field);
    form.required = field.is_required(&known.values);
    let Some(list) = field.list() else { return form };
    match sources.get(list) {
        Some(Source::Fixed(kept)) => form.options = kept.entries.iter().map(choice).collect(),
        other => {
            form.list = Some(list.to_owned());
            explain(&mut form, other);
        }
    }
    form
}

/// A field without what depends on an account or an input.
pub(crate) fn plain_field(field: &Field) -> FormField {
    let options = if field.options().is_empty() { values_of(field.kind()) } else { choices(field.options()) };
    FormField {
        name: field.name().to_owned(),
        label: field.label().to_owned(),
        help: field.help().to_owned(),
        kind: field.kind().to_string(),
        required: field.required(),
        default: field.default().cloned(),
        options,
        ..FormField::default()
    }
}

/// The fields that the account adds. When they can't be had, one field named by the bare prefix stands for them and
/// says why.
fn custom_fields(custom: &CustomFields, sources: &Sources) -> Vec<FormField> {
    let entries = match sources.get(custom.list()) {
        None => return Vec::new(),
        Some(Source::Fixed(kept)) => &kept.entries,
        Some(Source::Entries(kept)) => &kept.entries,
        absent => {
            let mut form = FormField {
                name: custom.prefix().to_owned(),
                kind: FieldType::Any.to_string(),
                list: Some(custom.list().to_owned()),
                custom: true,
                ..FormField::default()
            };
            explain(&mut form, absent);
            return vec![form];
        }
    };
    entries.iter().map(|entry| custom_field(custom, entry)).collect()
}

fn custom_field(custom: &CustomFields, entry: &Entry) -> FormField {
    let kind = entry.kind.clone().and_then(|kind| FieldType::try_from(kind).ok()).unwrap_or(FieldType::Any);
    FormField {
        name: format!("{}{}", custom.prefix(), entry.key),
        label: entry.label.clone(),
        kind: kind.to_string(),
        options: values_of(&kind),
        required: entry.required,
        custom: true,
        ..FormField::default()
    }
}

/// What the account has for a field, or why it has nothing.
fn explain(form: &mut FormField, source: Option<&Source>) {
    match source {
        Some(Source::Entries(kept)) => form.options = kept.entries.iter().map(choice).collect(),
        Some(Source::WaitsFor(missing)) => form.waits_for.clone_from(missing),
        Some(Source::Failed(reason)) => form.options_error = Some(reason.clone()),
        Some(Source::Fixed(_)) | None => {}
    }
}

fn choices(options: &[patchbay_connector::Choice]) -> Vec<Choice> {
    let choice = |option: &patchbay_connector::Choice| {
        let label = if option.label.is_empty() { &option.value } else { &option.label };
        Choice { value: option.value.clone(), label: label.clone() }
    };
    options.iter().map(choice).collect()
}

fn choice(entry: &Entry) -> Choice {
    Choice { value: entry.key.clone(), label: entry.label.clone() }
}

/// The values of a type that has only a few, as texts.
fn values_of(kind: &FieldType) -> Vec<Choice> {
    if !matches!(kind, FieldType::Boolean | FieldType::NullableBoolean) {
        return Vec::new();
    }
    let values = [("true", "Yes"), ("false", "No")];
    values.map(|(value, label)| Choice { value: value.to_owned(), label: label.to_owned() }).into()
}
