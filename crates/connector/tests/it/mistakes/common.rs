//! Mistakes in the connection and in what all calls share.

use super::check;

#[test]
fn in_the_connection() {
    check(&[
        (
            "kind: bearer",
            "kind: oauth2",
            "shop.yaml:8:17: connection.auth.kind: `oauth2` is not available yet; there are `bearer`, `api_key`, `basic` and `none`",
        ),
        (
            "kind: bearer",
            "kind: bear",
            "connection.auth.kind: unknown value `bear`, expected one of `bearer`, `api_key`, `basic`, `none` (hint: did you mean `bearer`?)",
        ),
        ("kind: bearer", "kind: basic", "shop.yaml:8:9: connection.auth: the key `username` is missing"),
        (
            "kind: bearer",
            "kind: basic",
            "shop.yaml:8:31: connection.auth.token: has no meaning for this kind, which takes `username`, `password`",
        ),
        (
            "kind: bearer, token:",
            "kind: api_key, key:",
            "connection.auth: expected one of the keys `header` and `query`, which say where the key goes",
        ),
        (
            "kind: bearer, token:",
            "kind: api_key, header: a, query: b, key:",
            "connection.auth: both `header` and `query` are given; leave one out",
        ),
        (
            "kind: bearer, token:",
            "kind: api_key, header: Content-Length, key:",
            "connection.auth.header: the header `content-length` is set by the client and can't be set here (hint: leave it out)",
        ),
        (
            "{{ connection.token }}",
            "{{ connection.tokn }}",
            "connection.auth.token: there is no field of the connection `tokn` (hint: did you mean `token`?)",
        ),
        (
            "{{ connection.token }}",
            "{{ input.db_id }}",
            "connection.auth.token: there is no `input` here, only `connection`",
        ),
        (
            "at {{ connection.host }}",
            "{{ connection.token }}",
            "shop.yaml:10:10: connection.label: would show `token`, which is secret",
        ),
        (
            "{{ test.body.name }}",
            "{{ test.boby.name }}",
            "connection.label: there is no part of the answer `boby` (hint: did you mean `body`?)",
        ),
        (
            "{{ test.body.name }}",
            "{{ body.name }}",
            "connection.label: there is no `body` here, only `connection`, `test`",
        ),
        (
            "  test: { request: { method: GET, path: /me }, expect: \"status == 200\" }\n",
            "",
            "connection.label: there is no test whose answer could name a connection",
        ),
        (
            "method: GET, path: /me",
            "method: GET, path: \"/me/{{ input.x }}\"",
            "connection.test.request.path: there is no `input` here",
        ),
        (
            "default: shop.test, validate: host",
            "list: colors",
            "shop.yaml:5:54: connection.fields[0].list: a field of a connection can't have a list (hint: lists are read with a connection; use `options`)",
        ),
        (
            "default: shop.test, validate: host",
            "default: a b, validate: host",
            "connection.fields[0].default: expected a host",
        ),
        (
            "type: string, default: shop.test",
            "type: object",
            "expected `string`, `secret`, `integer` or `boolean` for a field of a connection",
        ),
    ]);
}

#[test]
fn in_what_all_calls_share() {
    check(&[
        (
            "action: retry",
            "action: refresh_then_retry",
            "shop.yaml:16:40: http.errors[0].action: `refresh_then_retry` needs a kind of auth with a token to renew, which this one has not (hint: use `reauthorize`)",
        ),
        ("{{ body.reason }}", "{{ connection.token }}", "http.errors[0].message: there is no `connection` here"),
        (
            "requests: 100, ",
            "",
            "shop.yaml:17:11: http.budget: the key `requests` is missing (hint: `per` is the time that `requests` counts in)",
        ),
        (
            "per: 10s, ",
            "",
            "http.budget: the key `per` is missing (hint: `requests` counts in a time, such as `per: 1s`)",
        ),
        ("per: 10s", "per: 25h", "http.budget.per: expected at most `24h`"),
        (
            "per: 10s",
            "per: 0s",
            "http.budget.per: expected a duration like `10s`, `500ms` or `2m`, found string \"0s\"",
        ),
        ("requests: 100", "requests: 0", "http.budget.requests: expected a number above zero"),
        ("concurrency: 8", "concurrency: 0", "http.budget.concurrency: expected a number above zero"),
        ("concurrency: 8", "concurency: 8", "http.budget.concurency: unknown key `concurency`"),
        ("X-Left", "\"X Left\"", "http.budget.remaining_header: `X Left` is no name of a header"),
        (
            "retry_after: header",
            "retry_after: heder",
            "unknown value `heder`, expected one of `header` (hint: did you mean `header`?)",
        ),
        ("timeout: 5s", "timeout: 11m", "shop.yaml:13:12: http.timeout: expected at most `10m`"),
        ("timeout: 30s", "timeout: 601s", "operations[0].timeout: expected at most `10m`"),
        ("header: Idempotency-Key", "header: Host", "http.idempotency.header: the header `host` is set by the client"),
        (
            "}}/v1\"",
            "}}/v1?x=1\"",
            "http.base_url: expected a URL without `?` and `#` (hint: put parameters into `request.query`)",
        ),
    ]);
}
