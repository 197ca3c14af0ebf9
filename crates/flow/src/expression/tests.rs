use serde_json::{Value as Json, json};

use super::*;

fn scope() -> Scope {
    let trigger = json!({
        "email": "Ann@Shop.test", "count": 7, "price": 2.5, "big": u64::MAX, "ok": true, "nothing": null,
        "trap": "{{ 7*7 }}", "tags": ["a", "b"], "contact": {"phones": ["+7 (900) 111-22-33"]}, "is": {"odd": 1},
    });
    Scope::new()
        .with(Name::Trigger, from_json_value(&trigger))
        .with(Name::Steps, from_json_value(&json!({"find": {"output": {"id": 12}}})))
        .with(Name::Now, Value::from("2026-01-31T08:00:00Z"))
}

fn evaluate(text: &str) -> Result<Json, Error> {
    to_json_value(&Expression::compile(text)?.evaluate(&scope())?)
}

fn render(template: Json) -> Json {
    to_json_value(&Template::compile(&template).unwrap().render(&scope()).unwrap()).unwrap()
}

#[test]
fn keeps_types() {
    for (text, expected) in [
        ("trigger.count", json!(7)),
        ("trigger.count + 1", json!(8)),
        ("trigger.price", json!(2.5)),
        ("trigger.big", json!(u64::MAX)),
        ("trigger.ok", json!(true)),
        ("not trigger.ok", json!(false)),
        ("trigger.nothing", json!(null)),
        ("trigger.tags", json!(["a", "b"])),
        ("trigger.tags | map('upper')", json!(["A", "B"])),
        ("trigger.contact", json!({"phones": ["+7 (900) 111-22-33"]})),
        ("{'a': trigger.count, 'b': [1, none]}", json!({"a": 7, "b": [1, null]})),
        ("steps.find.output.id", json!(12)),
        ("now", json!("2026-01-31T08:00:00Z")),
    ] {
        assert_eq!(evaluate(text), Ok(expected), "{text}");
    }
}

#[test]
fn filters_do_what_they_say() {
    for (text, expected) in [
        ("trigger.contact.phones[0] | digits", json!("79001112233")),
        ("trigger.email | lower", json!("ann@shop.test")),
        ("trigger.ok | string", json!("true")),
        ("trigger.nothing | string", json!(null)),
        ("trigger.tags | join(', ')", json!("a, b")),
        ("trigger.tags | tojson", json!("[\"a\",\"b\"]")),
        ("trigger.email | replace('@', ' at ')", json!("Ann at Shop.test")),
        ("'%03d' | format(trigger.count)", json!("007")),
        ("trigger.missing | default('x')", json!("x")),
        ("trigger.tags | length", json!(2)),
        ("[{'a': 1, 'b': true}, {'a': 2, 'b': false}] | selectattr('b') | map(attribute='a') | list", json!([1])),
        ("[{'a': 1}, {'a': 7}, {}] | selectattr('a', 'eq', trigger.count)", json!([{"a": 7}])),
        ("[{'a': 1}, {'a': 7}] | rejectattr('a', 'in', [7]) | first", json!({"a": 1})),
        ("trigger.missing | selectattr('a')", json!([])),
        ("trigger.is.odd", json!(1)),
        ("trigger.count is odd", json!(true)),
        ("trigger.count is not odd", json!(false)),
    ] {
        assert_eq!(evaluate(text), Ok(expected), "{text}");
    }
}

#[test]
fn the_short_way_and_the_whole_language_agree() {
    for path in [
        "trigger.email",
        "trigger.contact.phones[0]",
        "trigger.contact.phones[9]",
        "trigger.tags[0].x",
        "trigger.email.x.y",
        "trigger.nothing.x",
        "trigger.missing.x.y",
        "trigger.count[0]",
        "trigger.tags.length",
        "body.error",
        "trigger",
    ] {
        let short = Expression::compile(path).unwrap().evaluate(&scope()).unwrap();
        let whole = Expression::compile(&format!("({path})")).unwrap().evaluate(&scope()).unwrap();
        assert_eq!((short.is_undefined(), short), (whole.is_undefined(), whole), "{path}");
    }
}

#[test]
fn missing_data_is_undefined_and_no_error() {
    for text in
        ["trigger.a.b.c", "body.data[0].name", "item", "trigger.tags[7]", "steps.later.output.id", "(input).x.y"]
    {
        assert!(Expression::compile(text).unwrap().evaluate(&scope()).unwrap().is_undefined(), "{text}");
    }
}

#[test]
fn conditions_hold_by_truth() {
    for (text, expected) in [
        ("trigger.email != ''", true),
        ("trigger.missing", false),
        ("trigger.nothing", false),
        ("trigger.tags", true),
        ("trigger.count == 7 and body.error == 0", false),
        ("trigger.email in ['Ann@Shop.test']", true),
    ] {
        assert_eq!(Expression::compile(text).unwrap().is_true(&scope()), Ok(expected), "{text}");
    }
}

#[test]
fn refuses_what_it_can_not_compile() {
    for (text, expected) in [
        ("", "not an expression"),
        ("1 +", "not an expression"),
        ("trigger.email trigger.count", "not an expression"),
        ("trigger.email }} {{ 1", "not an expression"),
        ("'a' * 9999999", "texts can't be multiplied"),
        ("triger.email", "unknown name `triger`"),
        ("env('HOME')", "unknown name `env`"),
        ("debug()", "unknown name `debug`"),
        ("trigger.email | lowr", "unknown filter `lowr`"),
        ("trigger.tags | batch(1000000000, 0)", "unknown filter `batch`"),
        ("trigger.email is strange", "unknown test `strange`"),
        ("trigger.email is not strange", "unknown test `strange`"),
        ("1 *2*2*2*2*2*2*2*2*2", "8 multiplications"),
    ] {
        let message = Expression::compile(text).unwrap_err().to_string();
        assert!(message.contains(expected), "{text}: {message}");
    }
    assert_eq!(Expression::compile(&format!("trigger.{}", "a".repeat(5_000))).unwrap_err(), Error::TooLong);
}

#[test]
fn says_what_is_wrong_with_the_data() {
    for text in ["trigger.email + 1", "trigger.count | join", "trigger.email.upper()", "trigger.email | int", "range"] {
        assert!(matches!(evaluate(text), Err(Error::Evaluation(_))), "{text}: {:?}", evaluate(text));
    }
}

#[test]
fn bounds_size() {
    let long = "x".repeat(MAX_VALUE_BYTES);
    let scope = Scope::new().with(Name::Trigger, Value::from_pairs([("long", Value::from(long))]));
    for text in ["trigger", "trigger.long ~ 'x'", "range(100000) | list", "[trigger.long, trigger.long]"] {
        assert_eq!(
            Expression::compile(text).unwrap().evaluate(&scope).unwrap_err(),
            Error::TooLarge(MAX_VALUE_BYTES),
            "{text}"
        );
    }
    for text in ["trigger.long | replace('x', trigger.long)", "range(100000) | join(trigger.long)"] {
        assert!(matches!(Expression::compile(text).unwrap().evaluate(&scope), Err(Error::Evaluation(_))), "{text}");
    }
    assert!(Expression::compile("trigger.long").unwrap().evaluate(&scope).is_ok());
    for text in ["trigger.long", "trigger.long ~ ''"] {
        let long = Expression::compile(text).unwrap();
        assert_eq!(long.evaluate_within(&scope, 9).unwrap_err().to_string(), "the value is larger than 9 bytes");
    }
    let longer = Expression::compile("[trigger.long, trigger.long]").unwrap();
    assert!(longer.evaluate_within(&scope, 3 * MAX_VALUE_BYTES).is_ok());
    let template = Template::compile(&json!("{{ trigger.long }}!")).unwrap();
    assert_eq!(template.render(&scope).unwrap_err().message, Error::TooLarge(MAX_VALUE_BYTES).to_string());
}

#[test]
fn bounds_work_and_nesting() {
    let deep = format!("{}1{}", "(".repeat(400), ")".repeat(400));
    assert!(matches!(Expression::compile(&deep), Err(Error::Syntax(_))));
    let nested = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    assert!(matches!(Expression::compile(&nested), Err(Error::Syntax(_))));
    assert!(parse_json(nested.as_bytes()).is_err());
    let mut value = Value::from(1);
    for _ in 0..200 {
        value = Value::from(vec![value]);
    }
    let scope = Scope::new().with(Name::Trigger, value);
    assert_eq!(Expression::compile("trigger").unwrap().evaluate(&scope).unwrap_err(), Error::TooDeep);
    let wide = format!("1{}", "+1".repeat(1_500));
    assert_eq!(
        Expression::compile(&wide).and_then(|wide| wide.evaluate(&scope).map(|value| value.to_string())),
        Ok("1501".to_owned())
    );
}

#[test]
fn data_is_never_evaluated() {
    assert_eq!(render(json!("{{ trigger.trap }}")), json!("{{ 7*7 }}"));
    assert_eq!(render(json!("a {{ trigger.trap }} b")), json!("a {{ 7*7 }} b"));
    assert_eq!(render(json!({"x": ["{{ [trigger.trap] }}"]})), json!({"x": [["{{ 7*7 }}"]]}));
}

#[test]
fn renders_a_tree() {
    let template = json!({
        "db_id": 7, "email": "{{ trigger.email }}", "count": "{{trigger.count}}", "text": "n={{ trigger.count }}",
        "flag": "{{ trigger.ok }}!", "none": "[{{ trigger.nothing }}{{ trigger.missing }}]", "json": "x{{ trigger.tags }}",
        "list": ["{{ trigger.missing }}", 1, "{{ trigger.tags[1] }}"], "deep": {"a": {"b": "{{ steps.find.output.id }}"}},
        "quotes": "{{ \"}}\" ~ '\\'{{' }}", "emoji": "👋 {{ '🙂' }}", "braces": "{ } }}", "empty": "", "literal": null,
    });
    let expected = json!({
        "db_id": 7, "email": "Ann@Shop.test", "count": 7, "text": "n=7",
        "flag": "true!", "none": "[]", "json": "x[\"a\",\"b\"]",
        "list": [null, 1, "b"], "deep": {"a": {"b": 12}},
        "quotes": "}}'{{", "emoji": "👋 🙂", "braces": "{ } }}", "empty": "", "literal": null,
    });
    assert_eq!(render(template), expected);
}

#[test]
fn leaves_out_keys_that_have_no_data() {
    let template = json!({"a": "{{ trigger.missing }}", "b": "{{ trigger.nothing }}", "c": {"d": "{{ item }}"}});
    assert_eq!(render(template), json!({"b": null, "c": {}}));
    assert!(Template::compile(&json!("{{ item }}")).unwrap().render(&scope()).unwrap().is_undefined());
}

#[test]
fn knows_what_is_constant() {
    for (template, constant) in [
        (json!(7), true),
        (json!({"a": [1, "b", null]}), true),
        (json!("{{ 1 }}"), false),
        (json!(["a", "x {{ trigger }}"]), false),
    ] {
        let compiled = Template::compile(&template).unwrap();
        assert_eq!(compiled.is_constant(), constant, "{template}");
        assert_eq!(compiled.literal().map(|value| to_json_value(value).unwrap()), constant.then_some(template));
    }
}

#[test]
fn errors_name_their_place() {
    for (template, path) in [
        (json!({"data": {"subscriptions": [1, {"email": "{{ tigger }}"}]}}), "data.subscriptions[1].email"),
        (json!([["{% if x %}"]]), "[0][0]"),
        (json!({"a": "{# x #}"}), "a"),
        (json!("{{ open"), ""),
    ] {
        assert_eq!(Template::compile(&template).unwrap_err().path, path);
    }
    let template = Template::compile(&json!({"a": [{"b": "x{{ trigger.email + 1 }}"}]})).unwrap();
    assert_eq!(template.render(&scope()).unwrap_err().path, "a[0].b");
}

#[test]
fn encodes_only_what_expressions_give() {
    let template = Template::compile(&json!("/a b/{{ trigger.count }}/{{ trigger.email }}")).unwrap();
    let text = template.render_text(&scope(), |text| text.replace('@', "%40"));
    assert_eq!(text, Ok("/a b/7/Ann%40Shop.test".to_owned()));
}

#[test]
fn tells_what_it_looks_at() {
    let paths = |text: &str| Expression::compile(text).unwrap().paths().into_iter().collect::<Vec<_>>();
    assert_eq!(paths("input.matching"), ["input.matching"]);
    assert_eq!(paths("input.tags[0].x"), ["input.tags"]);
    assert_eq!(paths("input.matching in ['a'] or not input.phone"), ["input.matching", "input.phone"]);
    assert!(Expression::compile("[input.x, 1]").unwrap().uses(Name::Input));
    assert!(!Expression::compile("trigger.input").unwrap().uses(Name::Input));
    let template =
        Template::compile(&json!({"a": ["{{ input.x }}", {"b": "x{{ connection.host }}/{{ item }}"}], "c": 1}));
    let paths: Vec<_> = template.unwrap().paths().into_iter().collect();
    assert_eq!(paths, ["connection.host", "input.x", "item"]);
}

#[test]
fn json_goes_in_and_out_unchanged() {
    let json = r#"{"a":[1,-2,18446744073709551615,2.5,true,null],"b":{"ключ":"👋"}}"#;
    let value = parse_json(json.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(to_json(&value).unwrap()).unwrap(), json);
    assert_eq!(value, from_json_value(&serde_json::from_str(json).unwrap()));
    for broken in ["", "{", "[1,]", "nul", "{\"a\":1}x", "\u{feff}{}"] {
        assert!(parse_json(broken.as_bytes()).is_err(), "{broken}");
    }
}

#[test]
fn is_shared_between_threads_and_shows_no_values() {
    fn shared<T: Send + Sync>(_: &T) {}
    let scope = Scope::new().with(Name::Connection, Value::from("hush"));
    shared(&scope);
    shared(&Template::compile(&json!("{{ trigger | upper }}")).unwrap());
    assert_eq!(format!("{scope:?}"), "{Connection}");
}

#[test]
fn what_the_machine_panics_over_is_an_error() {
    let scope = Scope::new().with(Name::Trigger, from_json_value(&serde_json::json!({"none": [], "zero": 0})));
    for text in [
        "trigger.none[::-1]",
        "''[::-1]",
        "1 is divisibleby trigger.zero",
        "[1, 2][1:2:-1]",
        "[1, 2][::-9223372036854775808]",
        "range(0, 5, -1)",
        "range(0, 5, -9223372036854775808)",
    ] {
        // Some give nothing, some fail: none panics.
        let expression = Expression::compile(text).unwrap();
        let _ = (expression.evaluate(&scope), expression.is_true(&scope));
    }
    let divisible = Expression::compile("1 is divisibleby trigger.zero").unwrap();
    let error = Error::Evaluation("the expression can't be evaluated over this data".to_owned());
    assert_eq!(divisible.evaluate(&scope), Err(error));
}

#[test]
fn filters_leave_nothing_as_it_is() {
    let scope = Scope::new().with(Name::Trigger, from_json_value(&serde_json::json!({"null": null})));
    for filter in [
        "lower",
        "upper",
        "title",
        "capitalize",
        "trim",
        "trim('x')",
        "digits",
        "string",
        "replace('a', 'b')",
        "join(',')",
        "int",
        "float",
        "list",
    ] {
        let evaluate =
            |name: &str| Expression::compile(&format!("trigger.{name} | {filter}")).unwrap().evaluate(&scope);
        assert!(evaluate("missing").unwrap().is_undefined(), "{filter}");
        assert!(evaluate("null").unwrap().is_none(), "{filter}");
    }
    let text = |text: &str| to_text(&Expression::compile(text).unwrap().evaluate(&scope).unwrap()).unwrap();
    assert_eq!(text("trigger.missing | title | default('Friend')"), "Friend");
    assert_eq!(text("trigger.missing | int(7) ~ trigger.missing | int(default=8)"), "78");
    assert_eq!(text("'ÄNNE marie-o' | title ~ ' aNN' | capitalize ~ '--x-' | trim('-')"), "Änne Marie-O annx");
}
