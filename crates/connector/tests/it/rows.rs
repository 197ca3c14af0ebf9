//! Row sections and custom fields.

use serde_json::json;

use crate::support::{action, coerce, json, shop, validate, value};

const ROWS: &str = ", row_sections: [{ name: emails, label: Emails, required: true, fields: [
    { name: value, label: V, type: string, required: true }, { name: n, label: N, type: integer, default: 1 }] }]";

#[test]
fn rows_are_brought_into_their_types() {
    let operation = action("[]", ROWS);
    for given in [
        json!({"emails": [{"value": 7, "n": "2"}, {"value": "b"}]}),
        json!({"emails": "[{\"value\": \"7\", \"n\": 2}, {\"value\": \"b\", \"n\": null}]"}),
    ] {
        let expected = json!({"emails": [{"value": "7", "n": 2}, {"value": "b", "n": 1}]});
        assert_eq!(coerce(&operation, given.clone()), Ok(expected), "{given}");
    }
    let one = coerce(&operation, json!({"emails": {"value": "a"}}));
    assert_eq!(one, Ok(json!({"emails": [{"value": "a", "n": 1}]})));
}

#[test]
fn what_is_wrong_in_a_row_is_told_with_its_place() {
    let operation = action("[]", ROWS);
    for (given, expected) in [
        (json!([{"value": "a"}, {"value": "b", "n": "x"}]), "emails[1].n: expected a whole number, found `x`"),
        (json!([{"n": 1}]), "emails[0].value: required, but there is no value"),
        (json!([{"value": ""}]), "emails[0].value: required, but there is no value"),
        (json!([{"vlue": "a"}]), "emails[0].vlue: unknown field, did you mean `value`?"),
        (json!(["a"]), "emails[0]: expected an object with the fields of the row"),
        (json!([null]), "emails[0]: expected an object with the fields of the row"),
        (json!(7), "emails: expected a list of rows"),
        (json!("x"), "emails: expected a list of rows, found a text"),
        (json!([]), "emails: required, but there is no row"),
        (json!(null), "emails: required, but there is no row"),
        (json!(vec![json!({"value": "a"}); 1_001]), "emails: expected at most 1000 rows, found 1001"),
    ] {
        assert_eq!(coerce(&operation, json!({"emails": given})), Err(expected.to_owned()), "{expected}");
    }
}

#[test]
fn rows_are_checked_before_a_run_as_far_as_constants_go() {
    let operation = action("[]", ROWS);
    for (given, expected) in [
        (json!("{{ trigger.emails }}"), vec![]),
        (json!(["{{ trigger.email }}", {"value": "{{ trigger.email }}", "n": "{{ trigger.n }}"}]), vec![]),
        (
            json!([{"value": "a", "n": "x"}, {}]),
            vec!["emails[0].n: expected a whole number, found `x`", "emails[1].value: required"],
        ),
        (json!([{"value": "{{ trigger.email | lowr }}"}]), vec!["emails[0].value: unknown filter `lowr`"]),
        (
            json!([{"value": "{{ connection.token }}"}]),
            vec![
                "emails[0].value: a step can't see `connection`; it sees `trigger`, `trigger_meta`, `steps` and `now`",
            ],
        ),
        (json!([{"value": "a", "x": 1}]), vec!["emails[0].x: unknown field, there are `value`, `n`"]),
        (json!("text"), vec!["emails: expected a list of rows"]),
        (json!(["text"]), vec!["emails[0]: expected an object with the fields of the row"]),
        (json!([7]), vec!["emails[0]: expected an object with the fields of the row"]),
        (json!(true), vec!["emails: expected a list of rows"]),
        (json!([]), vec!["emails: required"]),
        (json!(null), vec!["emails: required"]),
    ] {
        assert_eq!(validate(&operation, json!({"emails": given})), expected, "{given}");
    }
}

#[test]
fn conditions_of_a_row_see_the_row_and_the_input() {
    let shop = shop();
    let put = shop.operation("put").unwrap();
    let rows = json!([
        {"value": "a@b.test", "type": "old", "until": "2026-01-31"},
        {"value": "a@b.test", "until": "2026-01-31"},
    ]);
    let shown = coerce(put, json!({"db_id": 7, "emails": rows})).unwrap();
    let expected = json!([
        {"value": "a@b.test", "type": "old", "until": "2026-01-31"},
        {"value": "a@b.test", "type": "work"},
    ]);
    assert_eq!(shown["emails"], expected);
    let without = json!({"db_id": 7, "kind": "b", "note": "x", "emails": [{"value": "a@b.test", "type": "old"}]});
    assert_eq!(coerce(put, without.clone()), Err("emails[0].until: required, but there is no value".to_owned()));
    assert_eq!(validate(put, without), ["emails[0].until: required"]);
}

const GOALS: &str = ", row_sections: [{ name: goals, label: Goals, fields: [
    { name: goal, label: G, type: string },
    { name: share, label: S, type: integer, default: 1, required_when: \"input.goals | length > 1\" },
    { name: note, label: N, type: string, show_when: \"input.goals[0].goal == 'visit'\" }] }]";

#[test]
fn conditions_see_the_rows() {
    let operation = action(
        "[{ name: goal, label: G, type: string, required_when: not input.goals },
          { name: many, label: M, type: string, show_when: \"input.goals | length > 1\" },
          { name: first, label: F, type: string, required_when: \"input.goals[0].share == 2\" }]",
        GOALS,
    );
    for nothing in [json!({}), json!({"goals": []}), json!({"goals": null})] {
        assert_eq!(coerce(&operation, nothing.clone()), Err("goal: required, but there is no value".to_owned()));
        assert_eq!(validate(&operation, nothing), ["goal: required"]);
    }
    for enough in [json!({"goal": "buy"}), json!({"goals": [{"goal": "buy"}]}), json!({"goals": {"goal": "buy"}})] {
        assert!(coerce(&operation, enough.clone()).is_ok(), "{enough}");
        assert_eq!(validate(&operation, enough), [""; 0]);
    }
    let given = json!({"goals": [{"goal": "visit", "share": "2", "note": "n"}, {}], "many": "x", "first": "y"});
    assert_eq!(
        coerce(&operation, given.clone()),
        Ok(json!({"goals": [{"goal": "visit", "share": 2, "note": "n"}, {"share": 1}], "many": "x", "first": "y"}))
    );
    assert_eq!(validate(&operation, given), [""; 0]);
    // Conditions look at typed rows, with their defaults.
    let given = json!({"goals": [{"goal": "buy", "share": "2", "note": "n"}], "many": "x"});
    assert_eq!(coerce(&operation, given.clone()), Err("first: required, but there is no value".to_owned()));
    assert_eq!(validate(&operation, given), ["first: required"]);
    let given = json!({"goals": [{"goal": "buy", "note": "n"}], "many": "x"});
    assert_eq!(coerce(&operation, given), Ok(json!({"goals": [{"goal": "buy", "share": 1}]})));
}

#[test]
fn conditions_on_rows_that_templates_make_wait_for_the_run() {
    let operation = action("[{ name: goal, label: G, type: string, required_when: not input.goals }]", GOALS);
    for later in [
        json!({"goals": "{{ trigger.goals }}"}),
        json!({"goals": ["{{ trigger.goal }}"]}),
        json!({"goals": [{"goal": "{{ trigger.goal }}"}]}),
    ] {
        assert_eq!(validate(&operation, later.clone()), [""; 0], "{later}");
    }
    // What is wrong with the rows is told, and nothing that follows from it.
    assert_eq!(validate(&operation, json!({"goals": 7})), ["goals: expected a list of rows"]);
    assert_eq!(coerce(&operation, json!({"goals": ""})), Err("goal: required, but there is no value".to_owned()));
}

#[test]
fn custom_fields_are_merged_and_win() {
    let shop = shop();
    let put = shop.operation("put").unwrap();
    let given = json!({
        "db_id": 7, "data": {"_fname": "Ann", "tags": [1]}, "cf___fname": "Bea", "cf__CRM_ID": 17, "cf__none": null,
    });
    let coerced = put.coerce(value(given)).unwrap();
    let expected = json!({"_fname": "Bea", "tags": [1], "CRM_ID": 17});
    assert_eq!(json(&coerced)["data"], expected);
    let alone = coerce(put, json!({"db_id": 7, "cf__a": "{{ 7*7 }}"})).unwrap();
    assert_eq!(alone, json!({"db_id": 7, "kind": "a", "data": {"a": "{{ 7*7 }}"}}));
    assert_eq!(
        coerce(put, json!({"db_id": 7, "cf__": 1})).unwrap_err(),
        "cf__: unknown field, there are `db_id`, `scenario`, `color`, `kind`, `email`, `code`, `count`, `note`, `data`, `emails`"
    );
}

#[test]
fn custom_fields_without_a_field_to_go_into_stand_apart() {
    let text =
        crate::support::SHOP.replace(", into: data", "").replace("{{ input.data }}", "{{ input.custom_fields }}");
    let connector = crate::support::compile(&text).unwrap();
    let put = connector.operation("put").unwrap();
    let custom = put.custom_fields().unwrap();
    assert_eq!((custom.list(), custom.prefix(), custom.into()), ("properties", "cf__", None));
    let coerced = coerce(put, json!({"db_id": 7, "cf__a": 1})).unwrap();
    assert_eq!(coerced, json!({"db_id": 7, "kind": "a", "custom_fields": {"a": 1}}));
    assert_eq!(coerce(put, json!({"db_id": 7})).unwrap(), json!({"db_id": 7, "kind": "a"}));
    assert!(coerce(put, json!({"db_id": 7, "custom_fields": {}})).is_err());
}

#[test]
fn custom_fields_are_checked_before_a_run() {
    let shop = shop();
    let put = shop.operation("put").unwrap();
    assert_eq!(validate(put, json!({"db_id": 7, "cf__a": "{{ trigger.a }}", "cf__b": {"c": 1}})), [""; 0]);
    assert_eq!(validate(put, json!({"db_id": 7, "cf__a": "{{ trigger.a"})), ["cf__a: `{{` has no closing `}}`"]);
    let secret = "cf__a: a step can't see `connection`; it sees `trigger`, `trigger_meta`, `steps` and `now`";
    assert_eq!(validate(put, json!({"db_id": 7, "cf__a": "{{ connection.token }}"})), [secret]);
}

#[test]
fn a_required_object_is_filled_by_custom_fields() {
    let required =
        crate::support::SHOP.replace("label: Data, type: object", "label: Data, type: object, required: true");
    let connector = crate::support::compile(&required).unwrap();
    let put = connector.operation("put").unwrap();
    assert_eq!(validate(put, json!({"db_id": 7, "cf__a": 1})), [""; 0]);
    assert_eq!(validate(put, json!({"db_id": 7})), ["data: required"]);
    assert!(coerce(put, json!({"db_id": 7, "cf__a": 1})).is_ok());
    assert_eq!(coerce(put, json!({"db_id": 7})).unwrap_err(), "data: required, but there is no value");
}

#[test]
fn sections_describe_themselves() {
    let shop = shop();
    let section = &shop.operation("put").unwrap().row_sections()[0];
    assert_eq!((section.name(), section.label(), section.help(), section.required()), ("emails", "Emails", "", false));
    assert_eq!(section.fields().len(), 3);
}
