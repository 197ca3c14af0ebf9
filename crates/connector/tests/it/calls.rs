//! Credentials, bodies, the budget and the name of a connection.

use std::time::Duration;

use patchbay_connector::{Budget, Connector, Rate};
use patchbay_egress::Request;
use serde_json::{Value as Json, json};

use crate::support::{answer, compile, manifest_of, shop, value};

fn connector(auth: &str, request: &str) -> Connector {
    let fields = "[{ name: a, label: A, type: any }, { name: b, label: B, type: any }]";
    let text = manifest_of(&format!(
        "{{ key: put, id: 2, kind: action, title: Put, fields: {fields}, request: {{ method: POST, path: /put {request} }} }}"
    ));
    compile(&text.replace("auth: { kind: none }", &format!("auth: {auth}"))).unwrap()
}

fn request(auth: &str, request: &str, connection: Json, input: Json) -> Result<Request, String> {
    let connector = connector(auth, request);
    let operation = connector.operation("put").unwrap();
    operation.request(&value(connection), &value(input), "key").map_err(|fault| fault.to_string())
}

#[test]
fn credentials_go_where_the_kind_says() {
    let connection = json!({"name": "ann", "secret": "hu sh&"});
    let basic = "{ kind: basic, username: \"{{ connection.name }}\", password: \"{{ connection.secret }}\" }";
    let sent = request(basic, "", connection.clone(), json!({})).unwrap();
    assert_eq!(sent.headers["authorization"], "Basic YW5uOmh1IHNoJg==");
    assert!(sent.headers["authorization"].is_sensitive());
    let header = "{ kind: api_key, header: X-Key, key: \"k {{ connection.secret }}\" }";
    let sent = request(header, "", connection.clone(), json!({})).unwrap();
    assert_eq!(sent.headers["x-key"], "k hu sh&");
    let query = "{ kind: api_key, query: api_key, key: \"{{ connection.secret }}\" }";
    let sent = request(query, ", query: { x: \"1\" }", connection.clone(), json!({})).unwrap();
    assert_eq!(sent.url, "https://shop.test/put?x=1&api_key=hu+sh%26");
    assert!(!sent.headers.contains_key("authorization") && !format!("{sent:?}").contains("hu+sh"));
    let sent = request("{ kind: none }", "", connection, json!({})).unwrap();
    assert_eq!((sent.url.as_str(), sent.headers.len()), ("https://shop.test/put", 1));
}

#[test]
fn missing_credentials_are_refused_without_being_shown() {
    let basic = "{ kind: basic, username: \"{{ connection.name }}\", password: \"{{ connection.secret }}\" }";
    let query = "{ kind: api_key, query: k, key: \"{{ connection.secret }}\" }";
    let header = "{ kind: api_key, header: k, key: \"{{ connection.secret }}\" }";
    for (auth, connection, expected) in [
        (basic, json!({}), "connection: the credentials are empty"),
        (basic, json!({"name": "a:hush", "secret": "x"}), "connection: the credentials have a name with `:` in it"),
        (query, json!({"secret": ""}), "connection: the credentials are empty"),
        (header, json!({"secret": "hush\n"}), "connection: the credentials have characters that no header can carry"),
    ] {
        assert_eq!(request(auth, "", connection, json!({})).unwrap_err(), expected);
    }
    assert!(request(basic, "", json!({"name": "key-as-name"}), json!({})).is_ok());
}

#[test]
fn each_kind_says_its_name() {
    for (auth, kind) in [
        ("{ kind: none }", "none"),
        ("{ kind: bearer, token: x }", "bearer"),
        ("{ kind: api_key, header: a, key: x }", "api_key"),
        ("{ kind: api_key, query: a, key: x }", "api_key"),
        ("{ kind: basic, username: a, password: x }", "basic"),
    ] {
        assert_eq!(connector(auth, "").auth_kind(), kind);
    }
}

#[test]
fn sends_forms() {
    let form = ", form: { a: \"{{ input.a }}\", b: \"{{ input.b }}\", c: \"x={{ input.b }}\" }";
    let sent = request("{ kind: none }", form, json!({}), json!({"a": ["1", 2], "b": "ж &"})).unwrap();
    assert_eq!(sent.headers["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(sent.body, "a=1&a=2&b=%D0%B6+%26&c=x%3D%D0%B6+%26");
    let sent = request("{ kind: none }", form, json!({}), json!({})).unwrap();
    assert_eq!(sent.body, "c=x%3D");
    let sent = request("{ kind: none }", form, json!({}), json!({"a": {"k": [1]}})).unwrap();
    assert_eq!(sent.body, "a=%7B%22k%22%3A%5B1%5D%7D&c=x%3D");
}

#[test]
fn sends_texts() {
    let csv = ", text: \"{{ input.a }};{{ input.b }}\", content_type: text/csv";
    let sent = request("{ kind: none }", csv, json!({}), json!({"a": 1, "b": "ж"})).unwrap();
    assert_eq!((&sent.headers["content-type"], &sent.body[..]), (&"text/csv".parse().unwrap(), "1;ж".as_bytes()));
    let plain = request("{ kind: none }", ", text: \"{{ input.a }}\"", json!({}), json!({})).unwrap();
    assert_eq!(
        (&plain.headers["content-type"], &plain.body[..]),
        (&"text/plain; charset=utf-8".parse().unwrap(), &[][..])
    );
    let own = ", json: { a: 1 }, headers: { Content-Type: application/vnd.shop+json }";
    let sent = request("{ kind: none }", own, json!({}), json!({})).unwrap();
    assert_eq!(sent.headers["content-type"], "application/vnd.shop+json");
}

#[test]
fn tells_the_budget() {
    let expected = Budget {
        concurrency: Some(8),
        rate: Some(Rate { requests: 100, per: Duration::from_secs(10) }),
        remaining_header: Some("x-left".parse().unwrap()),
        reset_header: Some("x-reset".parse().unwrap()),
    };
    assert_eq!(shop().budget(), &expected);
    assert_eq!(connector("{ kind: none }", "").budget(), &Budget::default());
}

#[test]
fn names_a_connection() {
    let shop = shop();
    let connection = value(json!({"host": "h.test", "token": "hush-0f3c"}));
    let label = |name: Json| shop.label(&connection, &answer(200, &json!({"name": name})));
    assert_eq!(label(json!("Main")).as_deref(), Some("Main at h.test"));
    assert_eq!(label(json!("a\u{0}\nb hush-0f3c")).as_deref(), Some("a b *** at h.test"));
    assert_eq!(label(json!("я".repeat(500))).unwrap().chars().count(), 200);
    assert_eq!(label(Json::Null).as_deref(), Some("at h.test"));
    assert_eq!(connector("{ kind: none }", "").label(&connection, &answer(200, &json!({}))), None);
}

#[test]
fn headers_are_there_for_those_who_look() {
    let text = manifest_of(
        "{ key: put, id: 2, kind: action, title: Put, request: { method: GET, path: /a }, output: { left: \"headers['x-left']\" } }",
    );
    let connector = compile(&text).unwrap();
    let mut answered = answer(200, &json!({}));
    answered.headers = crate::support::headers(&[("x-left", "7")]);
    let outcome = connector.operation("put").unwrap().interpret(&value(json!({})), &value(json!({})), Ok(&answered));
    let expected = patchbay_connector::Outcome::Succeeded { output: value(json!({"left": "7"})) };
    assert_eq!(outcome, expected);
    let ruled = text.replace("success: \"status == 200\"", "success: \"status == 200\", errors: [{ when: \"headers['x-left'] == '7'\", action: fail, message: \"left {{ headers['x-left'] }}\" }]");
    answered.status = 400;
    let outcome = compile(&ruled).unwrap().operation("put").unwrap().interpret(
        &value(json!({})),
        &value(json!({})),
        Ok(&answered),
    );
    let patchbay_connector::Outcome::Failed(failure) = outcome else { panic!("not a failure") };
    assert_eq!(failure.message, "left 7");
}
