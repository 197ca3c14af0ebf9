//! `/v1/connectors`, and what the accounts of connections have.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{RawPathParams, RawQuery, State, rejection::RawPathParamsRejection},
};
use bytes::Bytes;
use patchbay_proto::{
    Route,
    catalog::v1::{
        self as catalog, FieldsRequest, GetPartnerRequest, ListOperationsRequest, ListPartnersRequest, OptionsRequest,
        RefreshRequest, catalog_service_client::CatalogServiceClient,
    },
};
use patchbay_types::{
    ConnectionId, Timestamp,
    fault::{Code, Fault},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, value::RawValue};

use super::{
    Answer, Gateway, LARGEST_ANSWER, Problem, Shared, ask,
    body::JsonBody,
    caller::Caller,
    page::{Page, Query, wrong},
    path::PathId,
    patient, unreadable,
};

/// Names of a query that are no inputs of a list.
const OF_PAGES: [&str; 2] = ["limit", "cursor"];

/// What is filled in so far.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Filled {
    connection_id: Option<i64>,
    #[serde(default)]
    input: Map<String, Value>,
}

#[derive(Debug, Serialize)]
pub(super) struct Partner {
    key: String,
    id: i64,
    title: String,
    titles: BTreeMap<String, String>,
    description: String,
    categories: Vec<String>,
    region: Vec<i64>,
    deprecated: bool,
    version: String,
    testable: bool,
    lists: Vec<String>,
    connection_fields: Vec<Field>,
}

#[derive(Debug, Serialize)]
pub(super) struct WholePartner {
    #[serde(flatten)]
    partner: Partner,
    operations: Vec<Operation>,
}

#[derive(Debug, Serialize)]
pub(super) struct Operation {
    name: String,
    /// The name without the partner before it.
    key: String,
    id: i64,
    partner: String,
    kind: String,
    title: String,
    titles: BTreeMap<String, String>,
    description: String,
    deprecated: bool,
    safe_to_repeat: bool,
    modes: Vec<String>,
    sample: Option<Box<RawValue>>,
}

#[derive(Debug, Serialize)]
struct Field {
    name: String,
    label: String,
    help: String,
    r#type: String,
    required: bool,
    default: Option<Box<RawValue>>,
    options: Vec<Choice>,
    list: Option<String>,
    waits_for: Vec<String>,
    options_error: Option<String>,
    custom: bool,
}

#[derive(Debug, Serialize)]
struct Choice {
    value: String,
    label: String,
}

#[derive(Debug, Serialize)]
struct RowSection {
    name: String,
    label: String,
    help: String,
    required: bool,
    fields: Vec<Field>,
}

#[derive(Debug, Serialize)]
pub(super) struct Form {
    operation: Operation,
    fields: Vec<Field>,
    row_sections: Vec<RowSection>,
}

#[derive(Debug, Serialize)]
pub(super) struct Options {
    items: Vec<Choice>,
    /// Null when the connector itself holds the list.
    fetched_at: Option<Timestamp>,
    truncated: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct Updated {
    lists: Vec<UpdatedList>,
}

#[derive(Debug, Serialize)]
struct UpdatedList {
    list: String,
    options: i64,
    error: Option<String>,
}

pub(super) async fn list(State(gateway): Shared, _: Caller, RawQuery(query): RawQuery) -> Answer<Json<Page<Partner>>> {
    let contains = Query::new(query.as_deref()).text("contains")?.unwrap_or_default();
    let found = ask("catalog", catalog(&gateway).list_partners(ListPartnersRequest { contains })).await?;
    let items = found.partners.into_iter().map(partner).collect::<Answer<_>>()?;
    Ok(Json(Page { items, next_cursor: None }))
}

pub(super) async fn show(State(gateway): Shared, _: Caller, path: Names) -> Answer<Json<WholePartner>> {
    let key = named(path, "partner")?;
    let found = ask("catalog", catalog(&gateway).get_partner(GetPartnerRequest { partner: key.clone() })).await?;
    let request = ListOperationsRequest { partner: key };
    let operations = ask("catalog", catalog(&gateway).list_operations(request)).await?.operations;
    let operations = operations.into_iter().map(operation).collect::<Answer<_>>()?;
    Ok(Json(WholePartner { partner: partner(found)?, operations }))
}

pub(super) async fn show_operation(State(gateway): Shared, caller: Caller, path: Names) -> Answer<Json<Operation>> {
    let request = FieldsRequest {
        workspace_id: caller.workspace.get(),
        operation: operation_name(path)?,
        ..FieldsRequest::default()
    };
    let found = ask("catalog", catalog(&gateway).fields(patient(request))).await?.operation;
    operation(found.ok_or_else(|| unreadable("operation of a form"))?).map(Json)
}

pub(super) async fn fields(
    State(gateway): Shared,
    caller: Caller,
    path: Names,
    JsonBody(filled): JsonBody<Filled>,
) -> Answer<Json<Form>> {
    if filled.connection_id.is_some_and(|id| id < 1) {
        return Err(wrong("connection_id", "connection_id must be the id of a connection, or null"));
    }
    let request = FieldsRequest {
        workspace_id: caller.workspace.get(),
        operation: operation_name(path)?,
        connection_id: filled.connection_id.unwrap_or_default(),
        input: json_bytes(filled.input)?,
    };
    let form = ask("catalog", catalog(&gateway).fields(patient(request))).await?;
    Ok(Json(Form {
        operation: operation(form.operation.ok_or_else(|| unreadable("operation of a form"))?)?,
        fields: form.fields.into_iter().map(field).collect::<Answer<_>>()?,
        row_sections: form.row_sections.into_iter().map(row_section).collect::<Answer<_>>()?,
    }))
}

pub(super) async fn options(
    State(gateway): Shared,
    caller: Caller,
    PathId(id): PathId<ConnectionId>,
    path: Names,
    RawQuery(query): RawQuery,
) -> Answer<Json<Options>> {
    let query = query.unwrap_or_default();
    let inputs = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| !OF_PAGES.contains(&&**name));
    let inputs = inputs.map(|(name, value)| (name.into_owned(), Value::from(value.into_owned()))).collect();
    let request = OptionsRequest {
        workspace_id: caller.workspace.get(),
        connection_id: id.get(),
        list: named(path, "list")?,
        input: json_bytes(inputs)?,
    };
    let found = ask("catalog", catalog(&gateway).options(patient(request))).await?;
    Ok(Json(Options {
        items: found.options.into_iter().map(choice).collect(),
        fetched_at: (found.fetched_at > 0).then(|| Timestamp::from_micros(found.fetched_at)),
        truncated: found.truncated,
    }))
}

pub(super) async fn update(
    State(gateway): Shared,
    caller: Caller,
    PathId(id): PathId<ConnectionId>,
) -> Answer<Json<Updated>> {
    let request = RefreshRequest { workspace_id: caller.workspace.get(), connection_id: id.get() };
    let refreshed = ask("catalog", catalog(&gateway).refresh(patient(request))).await?;
    let list = |list: catalog::RefreshedList| UpdatedList {
        list: list.list,
        options: list.options,
        error: unless_empty(list.error),
    };
    Ok(Json(Updated { lists: refreshed.lists.into_iter().map(list).collect() }))
}

type Names = Result<RawPathParams, RawPathParamsRejection>;

/// One part of a path by its name.
fn named(path: Names, name: &'static str) -> Answer<String> {
    let path = path.map_err(|_| wrong(name, "the path must be percent-encoded UTF-8"))?;
    let found = path.iter().find_map(|(key, value)| (key == name).then(|| value.to_owned()));
    found.ok_or_else(|| Problem(Fault::new(Code::NotFound, "there is nothing at this path")))
}

fn operation_name(path: Names) -> Answer<String> {
    let path = path.map_err(|_| wrong("operation", "the path must be percent-encoded UTF-8"))?;
    let part = |name| path.iter().find_map(|(key, value)| (key == name).then_some(value)).unwrap_or_default();
    Ok(format!("{}.{}", part("partner"), part("key")))
}

fn catalog(gateway: &Gateway) -> CatalogServiceClient<Route> {
    CatalogServiceClient::new(gateway.peers.catalog.clone()).max_decoding_message_size(LARGEST_ANSWER)
}

fn json_bytes(object: Map<String, Value>) -> Answer<Bytes> {
    let written = serde_json::to_vec(&Value::Object(object));
    written.map(Into::into).map_err(|_| wrong("input", "the input can't be written as JSON"))
}

/// JSON of a peer; nothing when there is none.
fn raw(json: &[u8]) -> Answer<Option<Box<RawValue>>> {
    if json.is_empty() {
        return Ok(None);
    }
    serde_json::from_slice(json).map(Some).map_err(|_| unreadable("JSON of the catalog"))
}

fn unless_empty(text: String) -> Option<String> {
    if text.is_empty() { None } else { Some(text) }
}

fn partner(partner: catalog::Partner) -> Answer<Partner> {
    Ok(Partner {
        key: partner.key,
        id: partner.id,
        title: partner.title,
        titles: partner.titles.into_iter().collect(),
        description: partner.description,
        categories: partner.categories,
        region: partner.region,
        deprecated: partner.deprecated,
        version: partner.version,
        testable: partner.testable,
        lists: partner.lists,
        connection_fields: partner.connection_fields.into_iter().map(field).collect::<Answer<_>>()?,
    })
}

fn operation(operation: catalog::Operation) -> Answer<Operation> {
    let key = operation.name.split_once('.').map_or("", |(_, key)| key).to_owned();
    Ok(Operation {
        key,
        name: operation.name,
        id: operation.id,
        partner: operation.partner,
        kind: operation.kind,
        title: operation.title,
        titles: operation.titles.into_iter().collect(),
        description: operation.description,
        deprecated: operation.deprecated,
        safe_to_repeat: operation.safe_to_repeat,
        modes: operation.modes,
        sample: raw(&operation.sample)?,
    })
}

fn field(field: catalog::Field) -> Answer<Field> {
    Ok(Field {
        name: field.name,
        label: field.label,
        help: field.help,
        r#type: field.r#type,
        required: field.required,
        default: raw(&field.default)?,
        options: field.options.into_iter().map(choice).collect(),
        list: unless_empty(field.list),
        waits_for: field.waits_for,
        options_error: unless_empty(field.options_error),
        custom: field.custom,
    })
}

fn row_section(section: catalog::RowSection) -> Answer<RowSection> {
    Ok(RowSection {
        name: section.name,
        label: section.label,
        help: section.help,
        required: section.required,
        fields: section.fields.into_iter().map(field).collect::<Answer<_>>()?,
    })
}

fn choice(choice: catalog::Choice) -> Choice {
    Choice { value: choice.value, label: choice.label }
}
