//! Fields: types, what values must be like, choices and conditions.

use serde_json::{Value as Json, json};

use crate::support::{action, coerce, compile, manifest_of, shop, validate, value};

/// What a value becomes in a field of this type.
fn typed(kind: &str, given: &Json) -> Result<Json, String> {
    let operation = action(&format!("[{{ name: value, label: Value, type: {kind} }}]"), "");
    coerce(&operation, json!({"value": given})).map(|input| input["value"].clone())
}

/// What is said about a value under a validation.
fn validated(kind: &str, validate: &str, given: &Json) -> Result<(), String> {
    let operation = action(&format!("[{{ name: value, label: Value, type: {kind}, validate: {validate} }}]"), "");
    coerce(&operation, json!({"value": given})).map(drop)
}

#[test]
fn times_days_phones_and_files_take_their_usual_forms() {
    for (kind, given, expected) in [
        ("datetime", json!("2026-01-31 08:00:00+0300"), json!("2026-01-31T08:00:00+03:00")),
        ("datetime", json!(1_709_210_096), json!("2024-02-29T12:34:56Z")),
        ("datetime", json!(1_709_210_096_000_i64), json!("2024-02-29T12:34:56Z")),
        ("datetime", json!(" "), Json::Null),
        ("date", json!("2026-01-31"), json!("2026-01-31")),
        ("date", json!("2026-01-31T08:00:00Z"), json!("2026-01-31")),
        ("date", json!(1_709_210_096), json!("2024-02-29")),
        ("phone", json!("+7 (900) 111-22-33"), json!("+79001112233")),
        ("phone", json!(79_001_112_233_i64), json!("79001112233")),
        ("file", json!("https://shop.test/a.pdf"), json!("https://shop.test/a.pdf")),
        ("file", json!("data:text/plain;base64,SGk="), json!("data:text/plain;base64,SGk=")),
        ("list of date", json!(["2026-01-31", "2026-02-01 10:00"]), json!(["2026-01-31", "2026-02-01"])),
    ] {
        assert_eq!(typed(kind, &given), Ok(expected), "{kind} {given}");
    }
    for (kind, given, expected) in [
        ("datetime", json!("tomorrow"), "value: expected a time like `2026-01-31T08:00:00Z`, found `tomorrow`"),
        ("datetime", json!(true), "value: expected a time like `2026-01-31T08:00:00Z`, found true"),
        ("datetime", json!(-1), "value: expected a time like `2026-01-31T08:00:00Z`, found -1"),
        ("date", json!("31.01.2026"), "value: expected a day like `2026-01-31`, found `31.01.2026`"),
        ("date", json!("2026-02-30"), "value: expected a day like `2026-01-31`, found `2026-02-30`"),
        ("phone", json!("call me"), "value: expected a phone number like `+79001112233`, found `call me`"),
        ("phone", json!("12"), "value: expected a phone number like `+79001112233`, found `12`"),
        ("phone", json!("7+900111"), "value: expected a phone number like `+79001112233`, found `7+900111`"),
        ("file", json!("/etc/passwd"), "value: expected the URL of a file, found `/etc/passwd`"),
        (
            "list of phone",
            json!(["+79001112233", "x"]),
            "value: item 1: expected a phone number like `+79001112233`, found `x`",
        ),
    ] {
        assert_eq!(typed(kind, &given), Err(expected.to_owned()), "{kind} {given}");
    }
}

#[test]
fn null_is_a_value_of_a_nullable_boolean_only() {
    for (given, expected) in [
        (json!({"value": null}), json!({"value": null})),
        (json!({"value": "null"}), json!({"value": null})),
        (json!({"value": "no"}), json!({"value": false})),
        (json!({"value": ""}), json!({})),
        (json!({}), json!({})),
    ] {
        let operation = action("[{ name: value, label: Value, type: nullable_boolean }]", "");
        assert_eq!(coerce(&operation, given.clone()), Ok(expected), "{given}");
    }
    let required = action("[{ name: value, label: Value, type: nullable_boolean, required: true }]", "");
    assert_eq!(coerce(&required, json!({"value": null})), Ok(json!({"value": null})));
    assert_eq!(validate(&required, json!({"value": null})), [""; 0]);
    assert_eq!(coerce(&required, json!({})), Err("value: required, but there is no value".to_owned()));
    let boolean = action("[{ name: value, label: Value, type: boolean, required: true }]", "");
    assert_eq!(coerce(&boolean, json!({"value": null})), Err("value: required, but there is no value".to_owned()));
}

#[test]
fn values_must_be_like_the_manifest_says() {
    for (kind, validate, given, expected) in [
        ("string", "email", json!("ann@shop.test"), Ok(())),
        ("string", "email", json!(""), Ok(())),
        ("string", "email", json!("ann"), Err("value: expected an email address, found `ann`")),
        (
            "list of string",
            "email",
            json!(["a@b.test", "b"]),
            Err("value: item 1: expected an email address, found `b`"),
        ),
        ("string", "url", json!("https://shop.test/a?b=c"), Ok(())),
        (
            "string",
            "url",
            json!("shop.test"),
            Err("value: expected a URL like `https://example.com/path`, found `shop.test`"),
        ),
        (
            "string",
            "url",
            json!("javascript:alert(1)"),
            Err("value: expected a URL like `https://example.com/path`, found `javascript:alert(1)`"),
        ),
        ("string", "host", json!("shop.test:8443"), Ok(())),
        ("integer", "{ min: 1, max: 9 }", json!("9"), Ok(())),
        ("integer", "{ min: 1, max: 9 }", json!(0), Err("value: expected a number from 1 to 9, found 0")),
        ("decimal", "{ min: 0.5 }", json!(0.4), Err("value: expected a number of at least 0.5, found 0.4")),
        ("decimal", "{ max: 2 }", json!("2.5"), Err("value: expected a number of at most 2, found 2.5")),
        ("string", "{ pattern: '[a-z]+|[0-9]+', message: expected letters or digits }", json!("abc"), Ok(())),
        (
            "string",
            "{ pattern: '[a-z]+|[0-9]+', message: expected letters or digits }",
            json!("abc1"),
            Err("value: expected letters or digits"),
        ),
        (
            "string",
            "{ pattern: '^(a+)+$', message: expected a }",
            json!(format!("{}b", "a".repeat(5_000))),
            Err("value: expected a"),
        ),
        ("string", "{ max_length: 3 }", json!("яяя"), Ok(())),
        ("string", "{ max_length: 3 }", json!("яяяя"), Err("value: expected at most 3 characters, found 4")),
        (
            "phone",
            "{ pattern: '\\+7\\d{10}', message: expected a number of Russia }",
            json!("+7 900 111-22-33"),
            Ok(()),
        ),
    ] {
        assert_eq!(validated(kind, validate, &given), expected.map_err(str::to_owned), "{kind} {validate} {given}");
    }
}

#[test]
fn choices_are_checked_for_numbers_and_lists_too() {
    let options = "options: [{ value: \"1\" }, { value: \"2\" }]";
    let one = action(&format!("[{{ name: value, label: Value, type: integer, {options} }}]"), "");
    assert_eq!(coerce(&one, json!({"value": "2"})), Ok(json!({"value": 2})));
    assert_eq!(coerce(&one, json!({"value": 3})), Err("value: expected one of `1`, `2`, found `3`".to_owned()));
    let many = action(&format!("[{{ name: value, label: Value, type: list of string, {options} }}]"), "");
    assert_eq!(coerce(&many, json!({"value": ["1", "2"]})), Ok(json!({"value": ["1", "2"]})));
    let fault = "value: item 1: expected one of `1`, `2`, found `x`";
    assert_eq!(coerce(&many, json!({"value": ["1", "x"]})), Err(fault.to_owned()));
}

#[test]
fn a_fixed_list_gives_the_choices_and_a_list_of_the_account_does_not() {
    let shop = shop();
    let put = shop.operation("put").unwrap();
    let field = |name: &str| put.fields().iter().find(|field| field.name() == name).unwrap();
    assert_eq!((field("color").list(), field("color").options().len()), (Some("colors"), 2));
    assert_eq!((field("db_id").list(), field("db_id").options().len()), (Some("databases"), 0));
    assert_eq!(field("note").list(), None);
    let fault = coerce(put, json!({"db_id": 7, "color": "green"})).unwrap_err();
    assert_eq!(fault, "color: expected one of `red`, `blue`, found `green`");
}

#[test]
fn conditions_say_what_is_shown_and_required() {
    let shop = shop();
    let put = shop.operation("put").unwrap();
    let field = |name: &str| put.fields().iter().find(|field| field.name() == name).unwrap();
    let (a, b) = (value(json!({"kind": "a"})), value(json!({"kind": "b"})));
    assert_eq!((field("email").is_shown(&a), field("email").is_shown(&b)), (true, false));
    assert_eq!((field("note").is_required(&a), field("note").is_required(&b)), (false, true));
    assert_eq!((field("db_id").is_shown(&a), field("db_id").is_required(&a)), (true, true));
    let hidden = coerce(put, json!({"db_id": 7, "kind": "b", "note": "x", "email": "a@b.test"})).unwrap();
    assert_eq!(hidden, json!({"db_id": 7, "kind": "b", "note": "x"}));
    assert_eq!(validate(put, json!({"db_id": 7, "kind": "b"})), ["note: required"]);
    assert_eq!(validate(put, json!({"db_id": 7, "kind": "{{ trigger.kind }}"})), [""; 0]);
}

#[test]
fn a_text_without_quotes_may_look_like_a_number() {
    let text = manifest_of(
        "{ key: put, id: 2, kind: action, title: 7, fields: [{ name: v, label: 1, type: string, options: [{ value: 1 }] }], request: { method: GET, path: /a } }",
    );
    let connector = compile(&text).unwrap();
    assert_eq!(connector.operation("put").unwrap().fields()[0].options()[0].value, "1");
}
