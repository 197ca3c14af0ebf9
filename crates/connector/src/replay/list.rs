//! Cases of lists: page after page, until the list ends.

use patchbay_egress::Request;
use patchbay_flow::expression::{Value, from_json_value};
use serde_json::{Map, Value as Json, json};

use super::{
    answer::answer,
    compare::{compare, quoted},
    document::{CaseSection, ItemSection, RequestSection, ResponseSection},
    findings::Findings,
    operation::{accept, check_failure},
    request,
};
use crate::{FieldFault, List, ListItem};

/// One exchange of a case and where it stands.
struct Exchange<'case> {
    path: String,
    request: Option<&'case RequestSection>,
    response: &'case ResponseSection,
}

/// How the walk over the pages ended.
enum Walk {
    Items(Vec<ListItem>),
    Refused(FieldFault),
    /// What was wrong has been said.
    Told,
}

pub(super) fn replay(list: &List, case: &CaseSection, connection: &Value, findings: &mut Findings<'_>) {
    let items = match walk(list, case, connection, findings) {
        Walk::Items(items) => items,
        Walk::Refused(fault) => {
            accept(case.fault.as_ref(), &[fault], findings);
            return;
        }
        Walk::Told => return,
    };
    if !accept(case.fault.as_ref(), &[], findings) {
        return;
    }
    if case.error.is_some() {
        return findings.add("error", "a failure", format!("a list of {} items", items.len()));
    }
    if let Some(expected) = &case.items {
        check_items(expected, &items, findings);
    }
}

fn walk(list: &List, case: &CaseSection, connection: &Value, findings: &mut Findings<'_>) -> Walk {
    if list.is_static() {
        return Walk::Items(static_items(list));
    }
    let input = from_json_value(&Json::Object(case.input.clone().unwrap_or_default()));
    let exchanges = exchanges(case);
    let mut left = exchanges.iter();
    let mut items = Vec::new();
    let mut next = Some(list.first());
    let mut pages = 0;
    while let Some(page) = next {
        let request = match list.request(connection, &input, &page) {
            Ok(request) => request,
            Err(fault) => return Walk::Refused(fault),
        };
        let Some(exchange) = left.next() else {
            if case.fault.is_none() {
                findings.add(whole(case), "no further request", told(&request));
            }
            return if case.fault.is_none() { Walk::Told } else { Walk::Items(items) };
        };
        if let Some(expected) = exchange.request {
            request::check(&format!("{}request", exchange.path), expected, &request, findings);
        }
        let answer = answer(exchange.response);
        match list.read(connection, &input, &page, answer.as_ref()) {
            Ok(page) => {
                items.extend(page.items);
                next = page.next;
            }
            Err(failure) => {
                check_failure("items", case, &failure, findings);
                return Walk::Told;
            }
        }
        pages += 1;
    }
    if let Some(exchange) = left.next() {
        let place = if exchange.path.is_empty() { "request" } else { exchange.path.trim_end_matches('.') };
        findings.add(place, "a further request", format!("the end of the list after {pages} pages"));
    }
    Walk::Items(items)
}

fn static_items(list: &List) -> Vec<ListItem> {
    let item = |choice: &crate::Choice| ListItem {
        key: choice.value.clone(),
        label: if choice.label.is_empty() { choice.value.clone() } else { choice.label.clone() },
        kind: None,
        required: false,
    };
    list.choices().iter().map(item).collect()
}

fn exchanges(case: &CaseSection) -> Vec<Exchange<'_>> {
    if let Some(response) = &case.response {
        return vec![Exchange { path: String::new(), request: case.request.as_ref(), response }];
    }
    let sections = case.exchanges.iter().flatten().enumerate();
    sections
        .map(|(index, section)| Exchange {
            path: format!("exchanges[{index}]."),
            request: section.request.as_ref(),
            response: &section.response,
        })
        .collect()
}

fn whole(case: &CaseSection) -> &'static str {
    if case.exchanges.is_some() { "exchanges" } else { "response" }
}

fn told(request: &Request) -> String {
    let body = if request.body.is_empty() {
        String::new()
    } else {
        format!(" with {}", quoted(&String::from_utf8_lossy(&request.body)))
    };
    format!("{} {}{body}", request.method, quoted(&request.url))
}

/// Compares the keys that the file names; more or fewer items are a difference.
fn check_items(expected: &[ItemSection], found: &[ListItem], findings: &mut Findings<'_>) {
    let whole = |item: &ListItem| {
        let kind = item.kind.as_ref().map(ToString::to_string);
        json!({ "key": item.key, "label": item.label, "type": kind, "required": item.required })
    };
    let named: Json = expected.iter().map(|item| keep_named(item, None)).collect();
    let seen: Json = found
        .iter()
        .enumerate()
        .map(|(index, item)| match expected.get(index) {
            Some(section) => keep_named(section, Some(&whole(item))),
            None => whole(item),
        })
        .collect();
    findings.extend(compare("items", &named, &seen));
}

/// The keys that the section names: its own values, or those of `instead`.
fn keep_named(section: &ItemSection, instead: Option<&Json>) -> Json {
    let own = [
        ("key", Some(Json::from(section.key.as_str()))),
        ("label", section.label.as_deref().map(Json::from)),
        ("type", section.kind.as_deref().map(Json::from)),
        ("required", section.required.map(Json::from)),
    ];
    let mut kept = Map::new();
    for (name, value) in own {
        let Some(value) = value else { continue };
        kept.insert(name.to_owned(), instead.map_or(value, |whole| whole[name].clone()));
    }
    Json::Object(kept)
}
