//! Mistakes in fields, custom fields and row sections.

use super::check;

#[test]
fn in_fields() {
    check(&[
        (
            "name: scenario, label",
            "name: color, label",
            "operations[0].fields[2].name: another field has the name `color`",
        ),
        ("name: scenario, ", "", "shop.yaml:52:9: operations[0].fields[1]: the key `name` is missing"),
        ("label: Scenario, ", "", "operations[0].fields[1]: the key `label` is missing"),
        ("type: string, list: scenarios", "list: scenarios", "operations[0].fields[1]: the key `type` is missing"),
        ("label: Scenario", "label: \" \"", "operations[0].fields[1].label: expected words for people, found nothing"),
        (
            "list: scenarios",
            "list: scenaris",
            "shop.yaml:52:64: operations[0].fields[1].list: there is no list `scenaris` (hint: did you mean `scenarios`?)",
        ),
        (
            "list: scenarios",
            "list: xyz",
            "there is no list `xyz` (hint: there are `colors`, `databases`, `properties`, `scenarios`)",
        ),
        (
            "list: scenarios",
            "list: scenarios, options: [{ value: a }]",
            "operations[0].fields[1].list: both `list` and `options` are given; leave one out",
        ),
        (
            "type: string, list: colors",
            "type: integer, list: colors",
            "operations[0].fields[2].list: expected whole numbers for this type, found `red`",
        ),
        (
            "type: string, list: colors",
            "type: object, list: colors",
            "operations[0].fields[2].list: what is chosen from a list is no object",
        ),
        (
            "type: string, list: colors",
            "type: secret, list: colors",
            "operations[0].fields[2].type: only a connection has secrets",
        ),
        (
            "type: string, list: colors",
            "type: list of secret",
            "operations[0].fields[2].type: only a connection has secrets",
        ),
        (
            "type: string, list: colors",
            "type: list of list of string",
            "unknown type `list of list of string`, expected `string`, `secret`",
        ),
        (
            "type: string, list: colors",
            "type: time",
            "unknown type `time`, expected `string`, `secret`, `integer`, `decimal`, `boolean`, `nullable_boolean`, `datetime`",
        ),
        (
            "{ value: a }, { value: b }",
            "{ value: a }, { value: a }",
            "operations[0].fields[3].options: the option `a` is there twice",
        ),
        ("default: a }", "default: c }", "operations[0].fields[3].default: expected one of `a`, `b`, found `c`"),
        (
            "validate: email, show",
            "validate: emial, show",
            "operations[0].fields[4].validate: unknown value `emial`, expected one of `host`, `email`, `url` (hint: did you mean `email`?)",
        ),
        (
            "input.kind == 'a'",
            "input.knd == 'a'",
            "operations[0].fields[4].show_when: there is no field `knd` (hint: did you mean `kind`?)",
        ),
        (
            "input.kind == 'a'",
            "item.kind == 'a'",
            "operations[0].fields[4].show_when: there is no `item` here, only `input`",
        ),
        (
            "\"[0-9]{5}\"",
            "\"[0-9\"",
            "shop.yaml:56:71: operations[0].fields[5].validate.pattern: not a regular expression: ",
        ),
        ("\"[0-9]{5}\"", "\"a)|(b\"", "operations[0].fields[5].validate.pattern: not a regular expression: "),
        (", message: expected five digits", "", "operations[0].fields[5].validate: the key `message` is missing"),
        ("pattern: \"[0-9]{5}\", ", "", "operations[0].fields[5].validate.message: has no meaning without `pattern`"),
        ("pattern: \"[0-9]{5}\"", "patern: x", "operations[0].fields[5].validate.patern: unknown key `patern`"),
        (
            "{ min: 1, max: 9 }",
            "{ min: 9, max: 1 }",
            "operations[0].fields[6].validate: expected `min` to be at most `max`",
        ),
        (
            "{ min: 1, max: 9 }",
            "{ min: 1, max_length: 9 }",
            "operations[0].fields[6].validate: both `min` and `max_length` are given; leave one out",
        ),
        (
            "{ min: 1, max: 9 }",
            "{ max_length: 9 }",
            "operations[0].fields[6].validate: has no meaning for this type, only for `string`, `secret`, `phone` or `file`",
        ),
        ("{ min: 1, max: 9 }", "email", "has no meaning for this type, only for `string`"),
        ("{ min: 1, max: 9 }", "7", "operations[0].fields[6].validate: "),
        (
            "{ max_length: 5 }",
            "{ max: 5 }",
            "operations[0].fields[7].validate: has no meaning for this type, only for `integer` or `decimal`",
        ),
        (
            "{ max_length: 5 }",
            "{ max_length: 0 }",
            "operations[0].fields[7].validate.max_length: expected a number above zero",
        ),
        (
            "default: created, options: [{ value: created }, { value: changed }]",
            "list: scenarios",
            "operations[1].fields[0].list: the list `scenarios` depends on the field `db_id`, which is not here (hint: add a field with the name `db_id`)",
        ),
    ]);
}

#[test]
fn in_custom_fields_and_row_sections() {
    check(&[
        (
            "custom_fields: properties",
            "custom_fields: propertis",
            "operations[0].fields[9].custom_fields: there is no list `propertis` (hint: did you mean `properties`?)",
        ),
        (
            "prefix: cf__, ",
            "",
            "operations[0].fields[9]: the key `prefix` is missing (hint: inputs put it before keys, such as `prefix: cf__`)",
        ),
        (
            "prefix: cf__",
            "prefix: e",
            "operations[0].fields[4].name: `email` begins with `e`, the prefix of custom fields",
        ),
        (
            "prefix: cf__",
            "prefix: e",
            "operations[0].row_sections[0].name: `emails` begins with `e`, the prefix of custom fields",
        ),
        (
            "into: data",
            "into: dada",
            "operations[0].fields[9].into: there is no field `dada` (hint: did you mean `data`?)",
        ),
        (
            "into: data",
            "into: note",
            "operations[0].fields[9].into: expected a field of type `object`, but `note` is of type `string`",
        ),
        (
            "into: data }",
            "into: data, label: X }",
            "operations[0].fields[9].label: has no meaning beside `custom_fields`, which takes `prefix` and `into`",
        ),
        (
            "into: data }",
            "into: data }\n      - { custom_fields: properties, prefix: x__ }",
            "operations[0].fields[10].custom_fields: expected at most one entry with `custom_fields`",
        ),
        (
            "name: note, label: Note,",
            "name: note, label: Note, prefix: cf__,",
            "operations[0].fields[7].prefix: has no meaning without `custom_fields`",
        ),
        (
            "prefix: cf__, into: data",
            "prefix: cf__ }\n      - { name: custom_fields, label: X, type: object",
            "operations[0].fields[9]: a field has the name `custom_fields`, under which these would be found",
        ),
        ("name: emails", "name: email", "operations[0].row_sections[0].name: a field has the name `email`"),
        (
            "name: until, label",
            "name: type, label",
            "operations[0].row_sections[0].fields[2].name: another field has the name `type`",
        ),
        (
            "show_when: \"input.kind == 'a'\"",
            "show_when: input.mails",
            "operations[0].fields[4].show_when: there is no field `mails` (hint: did you mean `emails`?)",
        ),
        (
            "item.type == 'old'",
            "item.typ == 'old'",
            "operations[0].row_sections[0].fields[2].show_when: there is no field of the row `typ` (hint: did you mean `type`?)",
        ),
        (
            "required_when: \"input.kind == 'b'\" }\n    request",
            "list: xyz }\n    request",
            "operations[0].row_sections[0].fields[2].list: there is no list `xyz`",
        ),
        (
            "name: until, label: Until, type: date",
            "custom_fields: properties",
            "operations[0].row_sections[0].fields[2].custom_fields: only an action has fields that the account defines",
        ),
    ]);
}
