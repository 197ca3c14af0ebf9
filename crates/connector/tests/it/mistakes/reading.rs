//! Mistakes in requests and lists.

use super::check;

#[test]
fn in_requests() {
    check(&[
        (
            "path: /put",
            "path: /put\n      headers: { X-A: a, x-a: b }",
            "operations[0].request.headers.x-a: the header `x-a` is there twice",
        ),
        (
            "{{ input.color }}",
            "{{ input.colr }}",
            "shop.yaml:71:23: operations[0].request.query.color: there is no field `colr` (hint: did you mean `color`?)",
        ),
        (
            "{{ input.emails }}",
            "{{ input.custom_fields }}",
            "operations[0].request.json.emails: there is no field `custom_fields`",
        ),
        (
            "{{ input.emails }}",
            "{{ connection.hots }}",
            "operations[0].request.json.emails: there is no field of the connection `hots`",
        ),
        (
            "{{ input.emails }}",
            "{{ steps.a }}",
            "operations[0].request.json.emails: there is no `steps` here, only `connection`, `input`",
        ),
        (
            "path: /put",
            "path: \"/put?x=1\"",
            "operations[0].request.path: expected a path without `?` and `#` (hint: put parameters into `query`)",
        ),
        (
            "path: /put",
            "path: /put\n      headers: { Transfer-Encoding: x }",
            "operations[0].request.headers.Transfer-Encoding: the header `transfer-encoding` is set by the client",
        ),
        (
            "path: /put",
            "path: /put\n      form: { a: b }",
            "operations[0].request: both `json` and `form` are given; leave one out",
        ),
        (
            "path: /put",
            "path: /put\n      content_type: text/csv",
            "operations[0].request.content_type: has no meaning without `text` (hint: `json` and `form` have their own)",
        ),
        (
            "json: { db: \"{{ input.db_id }}\", data: \"{{ input.data }}\", emails: \"{{ input.emails }}\" }",
            "text: x\n      content_type: csv",
            "operations[0].request.content_type: expected a media type like `text/csv`, found `csv`",
        ),
        ("id: body.id", "id: input.idd", "operations[0].output.id: there is no field `idd`"),
        (
            "    request:\n      method: POST",
            "    requst:\n      method: POST",
            "operations[0].requst: unknown key `requst`",
        ),
    ]);
}

#[test]
fn in_lists() {
    check(&[
        (
            "options: [{ value: red",
            "depends_on: [db_id]\n    options: [{ value: red",
            "lists.colors.depends_on: has no meaning for a list with `options`",
        ),
        ("value: blue", "value: red", "lists.colors.options[1].value: the option `red` is there twice"),
        (
            "options: [{ value: red, label: Red }, { value: blue }]",
            "options: []",
            "lists.colors.options: expected options, found none",
        ),
        (
            "options: [{ value: red, label: Red }, { value: blue }]",
            "items: body",
            "lists.colors: expected one of the keys `options` and `request`",
        ),
        ("  colors:", "  Colors:", "lists.Colors: expected a name of small letters"),
        ("    key: id\n", "", "shop.yaml:23:5: lists.databases: the key `key` is missing"),
        ("items: body.data", "items: \"body.data | selct('x')\"", "lists.databases.items: unknown filter `selct`"),
        ("key: id", "key: item id", "lists.databases.key: not an expression"),
        (
            "key: id",
            "key: \"steps.id ~ 1\"",
            "lists.databases.key: there is no `steps` here, only `item`, `body`, `input`",
        ),
        (
            "depends_on: [db_id]",
            "depends_on: [dbid]",
            "shop.yaml:29:18: lists.scenarios.depends_on[0]: there is no field `dbid` (hint: did you mean `db_id`?)",
        ),
        ("depends_on: [db_id]", "depends_on: [kind]", "lists.scenarios.items: there is no field `db_id` (hint: "),
        (
            "kind: cursor",
            "kind: curser",
            "lists.databases.page.kind: unknown value `curser`, expected one of `number`, `offset`, `cursor`, `link_header`, `next_url` (hint: did you mean `cursor`?)",
        ),
        ("kind: cursor, param: from_id, ", "kind: cursor, ", "lists.databases.page: the key `param` is missing"),
        ("next: body.next_from_id, ", "", "lists.databases.page: the key `next` is missing"),
        (
            "stop: empty",
            "stop: short",
            "lists.databases.page.stop: expected `empty` or `no_next` for this kind, found `short`",
        ),
        (
            "stop: empty",
            "size: 5",
            "lists.databases.page.size: has no meaning for this kind, which takes `param`, `next`, `stop`, `in`, `max`",
        ),
        (
            "json: { limit: 2 } }",
            "json: [1] }",
            "lists.databases.page.in: the request has no object as `json` to put the page into",
        ),
        (
            "max: 3",
            "in: json",
            "lists.scenarios.page.in: the request has no object as `json` to put the page into (hint: use `in: query`)",
        ),
        ("max: 3", "max: 1001", "lists.scenarios.page.max: expected a number from 1 to 1000"),
        ("max: 3", "max: 0", "lists.scenarios.page.max: expected a number from 1 to 1000"),
        (
            "size: 2, stop: short",
            "size: 0, stop: short",
            "lists.scenarios.page.size: expected a number from 1 to 10000",
        ),
        (
            "size_param: per_page, size: 2, stop: short",
            "stop: short",
            "lists.scenarios.page.stop: `short` has no meaning without `size`",
        ),
        (
            "size_param: per_page, size: 2, stop: short",
            "size_param: per_page",
            "lists.scenarios.page: the key `size` is missing",
        ),
        (
            "size_param: per_page",
            "size_param: page",
            "lists.scenarios.page.size_param: expected another parameter than `param`",
        ),
        (
            "/scenarios\" }",
            "/scenarios\", query: { page: \"7\" } }",
            "lists.scenarios.page.param: `page` is in the query of the request already",
        ),
        (
            "stop: short, max: 3",
            "stop: no_next",
            "lists.scenarios.page.stop: expected `empty` or `short` for this kind, found `no_next`",
        ),
    ]);
}
