//! Lists that fields are chosen from.

use bytes::Bytes;
use http::HeaderMap;
use patchbay_connector::{Action, ErrorClass, FieldType, List, ListItem, Page};
use patchbay_egress::{Request, Response};
use patchbay_flow::expression::Value;
use serde_json::{Value as Json, json};

use crate::support::{answer, compile, headers, manifest_of, shop, value};

fn connection() -> Value {
    value(json!({"host": "shop.test", "token": "hush-0f3c", "secret": "hush-0f3c"}))
}

fn item(key: &str, label: &str) -> ListItem {
    ListItem { key: key.to_owned(), label: label.to_owned(), kind: None, required: false }
}

/// A list with this `request:` and what else it has, in flow style.
fn list(auth: &str, request: &str, rest: &str) -> std::sync::Arc<List> {
    let text = manifest_of("{ key: put, id: 2, kind: action, title: Put, request: { method: GET, path: /a } }")
        .replace("auth: { kind: none }", &format!("auth: {auth}"))
        .replace(
            "operations:",
            &format!(
                "lists: {{ all: {{ request: {request}, items: body.data, key: id, label: name {rest} }} }}\noperations:"
            ),
        );
    std::sync::Arc::clone(compile(&text).unwrap().list("all").unwrap())
}

/// Reads a whole list from these answers, and says which calls were made.
fn walk(list: &List, input: &Value, answers: &[Response]) -> (Vec<Request>, Vec<ListItem>) {
    let (mut requests, mut items) = (Vec::new(), Vec::new());
    let mut page = Some(list.first());
    for answer in answers {
        let Some(at) = page else { break };
        requests.push(list.request(&connection(), input, &at).unwrap());
        let read = list.read(&connection(), input, &at, Ok(answer)).unwrap();
        items.extend(read.items);
        page = read.next;
    }
    assert!(page.is_none(), "there is more to read");
    (requests, items)
}

/// Whether these answers leave something of the list behind.
fn is_cut(list: &List, answers: &[Response]) -> bool {
    let mut page = list.first();
    for (index, answer) in answers.iter().enumerate() {
        let read = list.read(&connection(), &value(json!({})), &page, Ok(answer)).unwrap();
        assert_eq!(read.next.is_none(), index + 1 == answers.len(), "page {index}");
        assert!(read.next.is_none() || !read.cut, "page {index}");
        let Some(next) = read.next else { return read.cut };
        page = next;
    }
    false
}

fn urls(requests: &[Request]) -> Vec<&str> {
    requests.iter().map(|request| request.url.as_str()).collect()
}

fn with_link(link: &str, body: &Json) -> Response {
    Response { status: 200, headers: headers(&[("link", link)]), body: Bytes::from(body.to_string()) }
}

fn page_of(ids: &[u64]) -> Json {
    json!({"data": ids.iter().map(|id| json!({"id": id, "name": format!("n{id}")})).collect::<Vec<_>>()})
}

#[test]
fn a_fixed_list_is_not_read() {
    let shop = shop();
    let colors = shop.list("colors").unwrap();
    assert!(colors.is_static());
    let choices: Vec<_> =
        colors.choices().iter().map(|choice| (choice.value.as_str(), choice.label.as_str())).collect();
    assert_eq!(choices, [("red", "Red"), ("blue", "")]);
    let fault = colors.request(&connection(), &value(json!({})), &colors.first()).unwrap_err();
    assert_eq!(fault.to_string(), "lists.colors: a fixed list is not read from the account");
    let failure = colors.read(&connection(), &value(json!({})), &Page::default(), Ok(&answer(200, &json!({}))));
    assert_eq!(failure.unwrap_err().class, ErrorClass::Configuration);
}

#[test]
fn walks_by_cursor_until_a_page_is_empty() {
    let shop = shop();
    let databases = shop.list("databases").unwrap();
    assert_eq!((databases.is_static(), databases.max_pages(), databases.depends_on().len()), (false, 20, 0));
    let answers = [
        answer(200, &json!({"data": [{"id": 1, "name": "Main"}, {"name": "no id"}, {"id": null}], "next_from_id": 4})),
        answer(200, &json!({"data": [{"id": 4}], "next_from_id": 5})),
        answer(200, &json!({"data": [], "next_from_id": 6})),
    ];
    let (requests, items) = walk(databases, &value(json!({})), &answers);
    let bodies: Vec<Json> = requests.iter().map(|request| serde_json::from_slice(&request.body).unwrap()).collect();
    assert_eq!(bodies, [json!({"limit": 2}), json!({"limit": 2, "from_id": 4}), json!({"limit": 2, "from_id": 5})]);
    assert_eq!(requests[0].headers["authorization"], "Bearer hush-0f3c");
    assert!(!requests[0].headers.contains_key("idempotency-key"));
    assert_eq!(items, [item("1", "Main"), item("4", "4")]);
}

#[test]
fn a_cursor_ends_when_it_repeats_itself_or_leads_nowhere() {
    for (cursors, calls) in
        [(vec![json!(4), json!(4), json!(4)], 2), (vec![json!("")], 1), (vec![Json::Null], 1), (vec![json!(false)], 1)]
    {
        let request = "{ method: GET, path: /a }";
        let list = list("{ kind: none }", request, ", page: { kind: cursor, param: from, next: body.next }");
        let mut answers = Vec::new();
        for cursor in &cursors {
            let mut body = page_of(&[1]);
            body["next"] = cursor.clone();
            answers.push(answer(200, &body));
        }
        assert_eq!(walk(&list, &value(json!({})), &answers).0.len(), calls, "{cursors:?}");
    }
}

#[test]
fn walks_by_number_until_a_page_is_short() {
    let shop = shop();
    let scenarios = shop.list("scenarios").unwrap();
    let input = value(json!({"db_id": 7}));
    let row = |id: u64, active: bool, list: u64| json!({"id": id, "name": "S", "is_active": active, "list_id": list});
    let answers = [
        answer(200, &json!({"data": [row(1, true, 7), row(2, true, 7)]})),
        answer(200, &json!({"data": [row(3, true, 7), row(4, false, 7), row(5, true, 8)]})),
    ];
    let (requests, items) = walk(scenarios, &input, &answers);
    let expected = [
        "https://shop.test/v1/databases/7/scenarios?page=1&per_page=2",
        "https://shop.test/v1/databases/7/scenarios?page=2&per_page=2",
    ];
    assert_eq!(urls(&requests), expected);
    assert_eq!(items, [item("1", "S (1)"), item("2", "S (2)"), item("3", "S (3)")]);
    assert_eq!(scenarios.depends_on(), ["db_id"]);
}

#[test]
fn pages_are_bounded() {
    let request = "{ method: GET, path: /a }";
    let list = list("{ kind: none }", request, ", page: { kind: number, param: p, start: 0, max: 3 }");
    let answers = [answer(200, &page_of(&[1])), answer(200, &page_of(&[2])), answer(200, &page_of(&[3]))];
    let (requests, items) = walk(&list, &value(json!({})), &answers);
    assert_eq!(urls(&requests), ["https://shop.test/a?p=0", "https://shop.test/a?p=1", "https://shop.test/a?p=2"]);
    assert_eq!((items.len(), list.max_pages()), (3, 3));
}

#[test]
fn says_whether_pages_were_left_behind() {
    let list = |page: &str| list("{ kind: none }", "{ method: GET, path: /a }", page);
    let pages = |pages: &[&[u64]]| pages.iter().map(|ids| answer(200, &page_of(ids))).collect::<Vec<_>>();
    let counted = list(", page: { kind: number, param: p, size: 2, stop: short, max: 2 }");
    assert!(is_cut(&counted, &pages(&[&[1, 2], &[3, 4]])));
    assert!(!is_cut(&counted, &pages(&[&[1, 2], &[3]])));
    assert!(!is_cut(&counted, &pages(&[&[1]])));
    let until_empty = list(", page: { kind: offset, param: o, max: 1 }");
    assert!(is_cut(&until_empty, &pages(&[&[1]])));
    assert!(!is_cut(&until_empty, &pages(&[&[]])));
    let cursor = list(", page: { kind: cursor, param: c, next: body.next, max: 2 }");
    let with_cursor = |next: Json| answer(200, &json!({"data": [{"id": 1, "name": "n"}], "next": next}));
    assert!(is_cut(&cursor, &[with_cursor(json!("a")), with_cursor(json!("b"))]));
    assert!(!is_cut(&cursor, &[with_cursor(json!("a")), with_cursor(json!("a"))]));
    assert!(!is_cut(&cursor, &[with_cursor(json!("a")), with_cursor(json!(null))]));
    let linked = list(", page: { kind: link_header, max: 1 }");
    assert!(is_cut(&linked, &[with_link("</a?p=2>; rel=\"next\"", &page_of(&[1]))]));
    assert!(!is_cut(&linked, &[with_link("</a?p=1>; rel=\"prev\"", &page_of(&[1]))]));
    assert!(!is_cut(&list(""), &pages(&[&[1]])));
}

#[test]
fn says_whether_items_were_left_behind() {
    let paged = ", page: { kind: number, param: p }";
    for (page, count, cut) in [("", 10_000, false), ("", 10_001, true), (paged, 10_001, true)] {
        let list = list("{ kind: none }", "{ method: GET, path: /a }", page);
        let body = json!({"data": (0..count).map(|id| json!({"id": id})).collect::<Vec<_>>()});
        let read = list.read(&connection(), &value(json!({})), &list.first(), Ok(&answer(200, &body))).unwrap();
        assert_eq!((read.items.len(), read.next.is_none(), read.cut), (10_000, true, cut), "{count}");
    }
}

#[test]
fn walks_by_offset() {
    let page = ", page: { kind: offset, param: offset, size_param: limit, size: 2 }";
    let list = list("{ kind: none }", "{ method: GET, path: /a }", page);
    let answers = [answer(200, &page_of(&[1, 2])), answer(200, &page_of(&[3])), answer(200, &page_of(&[]))];
    let (requests, items) = walk(&list, &value(json!({})), &answers);
    let expected = [
        "https://shop.test/a?offset=0&limit=2",
        "https://shop.test/a?offset=2&limit=2",
        "https://shop.test/a?offset=3&limit=2",
    ];
    assert_eq!(urls(&requests), expected);
    assert_eq!(items.len(), 3);
}

#[test]
fn parameters_go_where_the_manifest_says() {
    let page = ", page: { kind: number, param: p, in: query }";
    let list = list("{ kind: none }", "{ method: POST, path: /a, json: { x: 1 } }", page);
    let request = list.request(&connection(), &value(json!({})), &list.first()).unwrap();
    assert_eq!((request.url.as_str(), &request.body[..]), ("https://shop.test/a?p=1", br#"{"x":1}"#.as_slice()));
}

#[test]
fn follows_links_with_the_credentials() {
    let auth = "{ kind: api_key, query: key, key: \"{{ connection.secret }}\" }";
    let list = list(auth, "{ method: GET, path: /a, query: { x: \"1\" } }", ", page: { kind: link_header }");
    let answers = [
        with_link("<https://shop.test/a?x=1&after=2>; rel=\"next\"", &page_of(&[1])),
        with_link("</a?after=3&key=hush-0f3c>; rel=\"next\", </a>; rel=\"first\"", &page_of(&[2])),
        answer(200, &page_of(&[3])),
    ];
    let (requests, items) = walk(&list, &value(json!({})), &answers);
    let expected = [
        "https://shop.test/a?x=1&key=hush-0f3c",
        "https://shop.test/a?x=1&after=2&key=hush-0f3c",
        "https://shop.test/a?after=3&key=hush-0f3c",
    ];
    assert_eq!(urls(&requests), expected);
    assert_eq!(items.len(), 3);
}

#[test]
fn follows_urls_of_the_body_but_to_no_other_host() {
    let next = |link: Json| {
        let list = list("{ kind: none }", "{ method: GET, path: /a }", ", page: { kind: next_url, next: body.next }");
        let mut body = page_of(&[1]);
        body["next"] = link;
        let read = list.read(&connection(), &value(json!({})), &list.first(), Ok(&answer(200, &body)));
        read.map(|read| read.next.map(|page| list.request(&connection(), &value(json!({})), &page).unwrap().url))
    };
    assert_eq!(next(json!("https://shop.test/a?page=2")), Ok(Some("https://shop.test/a?page=2".to_owned())));
    assert_eq!(next(json!("?page=2")), Ok(Some("https://shop.test/a?page=2".to_owned())));
    assert_eq!(next(json!("https://shop.test/a")), Ok(None));
    assert_eq!(next(json!("")), Ok(None));
    assert_eq!(next(Json::Null), Ok(None));
    for link in [
        "https://evil.test/a",
        "http://shop.test/a",
        "//evil.test/a",
        "https://shop.test:8443/a",
        "https://u:p@shop.test/a",
    ] {
        let failure = next(json!(link)).unwrap_err();
        assert_eq!((failure.action, failure.class), (Action::Fail, ErrorClass::Configuration), "{link}");
        assert!(failure.message.contains("lists.all.page: the URL of the next page"), "{}", failure.message);
    }
}

#[test]
fn custom_fields_have_types() {
    let shop = shop();
    let properties = shop.list("properties").unwrap();
    let field =
        |name: &str, kind: &str, must: u64| json!({"name": name, "meta": {"title": "T", "type": kind, "must": must}});
    let body = json!({"fields": [field("a", "integer", 1), field("b", "list of string", 0), field("c", "blob", 0), {"name": "d"}]});
    let page =
        properties.read(&connection(), &value(json!({"db_id": 7})), &properties.first(), Ok(&answer(200, &body)));
    let items: Vec<_> =
        page.unwrap().items.into_iter().map(|item| (item.key, item.label, item.kind, item.required)).collect();
    let expected = [
        ("a", "T", FieldType::Integer, true),
        ("b", "T", FieldType::List(Box::new(FieldType::String)), false),
        ("c", "T", FieldType::Any, false),
        ("d", "d", FieldType::Any, false),
    ];
    let expected: Vec<_> = expected
        .into_iter()
        .map(|(key, label, kind, required)| (key.to_owned(), label.to_owned(), Some(kind), required))
        .collect();
    assert_eq!(items, expected);
}

#[test]
fn answers_that_are_no_page_are_failures() {
    let shop = shop();
    let databases = shop.list("databases").unwrap();
    let read = |answer: &Response| databases.read(&connection(), &value(json!({})), &databases.first(), Ok(answer));
    let failure = read(&answer(418, &json!({"reason": "a teapot hush-0f3c"}))).unwrap_err();
    assert_eq!((failure.action, failure.message.as_str()), (Action::Retry, "a teapot ***"));
    let failure = read(&answer(200, &json!({"data": {"a": 1}}))).unwrap_err();
    assert!(failure.message.ends_with("lists.databases.items: expected a list"), "{}", failure.message);
    let failure = read(&answer(500, &json!({}))).unwrap_err();
    assert_eq!(failure.action, Action::Retry);
    assert!(read(&answer(200, &json!({}))).unwrap().items.is_empty());
    let html = Response { status: 200, headers: HeaderMap::new(), body: Bytes::from_static(b"<html>") };
    assert!(read(&html).unwrap().items.is_empty());
}

#[test]
fn a_list_may_have_a_success_of_its_own() {
    let list =
        list("{ kind: none }", "{ method: GET, path: /a }", ", success: \"status == 206 and headers['x-ok'] == 'y'\"");
    let mut partial = answer(206, &page_of(&[1]));
    partial.headers = headers(&[("x-ok", "y")]);
    assert_eq!(walk(&list, &value(json!({})), &[partial]).1, [item("1", "n1")]);
    assert!(list.read(&connection(), &value(json!({})), &list.first(), Ok(&answer(200, &page_of(&[])))).is_err());
}

#[test]
fn a_page_shows_nothing() {
    let shop = shop();
    let databases = shop.list("databases").unwrap();
    let body = json!({"data": [{"id": 1}], "next_from_id": "hush"});
    let page = databases.read(&connection(), &value(json!({})), &databases.first(), Ok(&answer(200, &body))).unwrap();
    assert_eq!(format!("{:?}", page.next), "Some(Page { index: 1, .. })");
}

#[test]
fn a_page_may_be_larger_than_what_a_run_keeps() {
    let list = list("{ kind: none }", "{ method: GET, path: /a }", "");
    let rows: Vec<Json> = (0..2_000).map(|id| json!({"id": id, "name": "n".repeat(300)})).collect();
    let (_, items) = walk(&list, &value(json!({})), &[answer(200, &json!({"data": rows}))]);
    assert_eq!((items.len(), items[0].label.len()), (2_000, 200));
}
