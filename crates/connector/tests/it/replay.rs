//! Recorded exchanges: what is as recorded, and how it is told when something is not.

use std::{fs, path::Path};

use patchbay_connector::{CaseReport, Connector, Manifest, Recording, builtin};

/// Exchanges of the connector for Altcraft.
pub(crate) const EXCHANGES: &str = r#"
operation: import_profile
connection: { host: altcraft.test, token: secret-token }
cases:
  - name: creates a profile by email
    input: { db_id: 7, email: ann@shop.test, data: { _fname: Ann } }
    request:
      method: POST
      url: "https://altcraft.test/api/v1.1/profiles/import"
      headers: { authorization: Bearer secret-token, x-request-id: ~ }
    response: { status: 200, json: { error: 0, profile_id: "65f0" } }
    output: { profile_id: "65f0" }
  - name: a token that is not taken
    input: { db_id: 7, email: ann@shop.test }
    response: { status: 200, json: { error: 401, error_text: API token required } }
    error: { action: reauthorize, class: auth, message: API token required, known: true, status: 200 }
  - name: a gateway in between
    input: { db_id: 7, email: ann@shop.test }
    response: { status: 502, text: "<html>" }
    error: { action: retry, known: false }
  - name: no answer
    input: { db_id: 7, email: ann@shop.test }
    response: { failure: timeout }
    error: { action: retry, class: timeout, known: false }
  - name: no database
    input: { email: ann@shop.test }
    fault: { field: db_id, message: required }
"#;

/// A connector of a little of everything.
pub(crate) const SHOP: &str = r#"
schema: patchbay.connector/v1
partner: { key: shop, id: 1, title: Shop, version: 1.0.0 }
connection:
  fields:
    - { name: host, label: Host, type: string, default: shop.test, validate: host }
    - { name: key, label: Key, type: secret, required: true }
  auth: { kind: api_key, header: X-Key, key: "{{ connection.key }}" }
  test: { request: { method: GET, path: /me }, expect: "status == 200" }
  label: "{{ test.body.name }}"
http:
  base_url: "https://{{ connection.host }}/v1"
  timeout: 5s
  success: "status == 200"
  errors:
    - { when: "status == 429", action: rate_limited }
    - { when: "status == 401", action: reauthorize }
  budget: { concurrency: 64 }
lists:
  colours: { options: [{ value: red, label: Red }, { value: blue }] }
  tags:
    depends_on: [shop]
    request: { method: GET, path: "/shops/{{ input.shop }}/tags" }
    items: body.items
    key: id
    label: name
    page: { kind: number, param: page, size_param: size, size: 2, stop: short }
operations:
  - key: put
    id: 2
    kind: action
    title: Put
    fields:
      - { name: shop, label: Shop, type: integer, required: true }
      - { name: tag, label: Tag, type: string, list: tags }
    request: { method: POST, path: "/shops/{{ input.shop }}", form: { tag: "{{ input.tag }}", fixed: "a b" } }
    output: { id: body.id }
  - key: drop
    id: 3
    kind: action
    title: Drop
    fields: [{ name: shop, label: Shop, type: integer, required: true }]
    request: { method: DELETE, path: "/shops/{{ input.shop }}" }
  - key: added
    id: 4
    kind: trigger
    title: Added
    fields: [{ name: kind, label: Kind, type: string }]
    event_id: item.id
    modes:
      webhook:
        batch: body.items
        select: not input.kind or item.kind == input.kind
        verify:
          kind: hmac
          algorithm: sha256
          secret: "{{ connection.key }}"
          header: X-Signature
          prefix: "sha256="
          encoding: hex
          signed: [{ header: X-Time }, { text: "." }, body]
          timestamp: { header: X-Time, tolerance: 5m }
  - key: told
    id: 5
    kind: trigger
    title: Told
    modes: { webhook: { verify: { kind: standard_webhooks, secret: "{{ connection.key }}" } } }
"#;

fn shop() -> Connector {
    Connector::compile(Manifest::parse("connector.yaml", SHOP).unwrap()).unwrap()
}

fn replay(text: &str) -> Vec<CaseReport> {
    Recording::parse("tests/any.yaml", text).unwrap().replay(&shop()).unwrap()
}

/// What is told about cases of a file that has this head and these cases.
fn told(head: &str, cases: &str) -> Vec<String> {
    let text = format!("{head}\nconnection: {{ key: secret-key }}\ncases:\n{cases}");
    replay(&text).iter().flat_map(|case| &case.mismatches).map(ToString::to_string).collect()
}

fn refused(text: &str) -> Vec<String> {
    let recording = Recording::parse("tests/any.yaml", text).and_then(|recording| recording.replay(&shop()));
    recording.err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

#[test]
fn what_is_as_recorded_is_fine() {
    let catalog = builtin().unwrap();
    let recording = Recording::parse("tests/import_profile.yaml", EXCHANGES).unwrap();
    let reports = recording.replay(catalog.connector("altcraft").unwrap()).unwrap();
    assert_eq!(reports.len(), 5);
    assert!(reports.iter().all(CaseReport::is_fine), "{reports:#?}");
    assert!(recording.covers("import_profile") && !recording.covers("import"));
}

#[test]
fn a_request_is_compared_in_all_its_named_parts() {
    let case = r#"
  - name: puts
    input: { shop: 7, tag: a&b }
    request:
      method: PUT
      url: "https://shop.test/v1/shops/8"
      headers: { X-Key: other-key, X-Gone: "1", Content-Type: ~ }
      form: { tag: a-b, gone: 1 }
"#;
    assert_eq!(
        told("operation: put", case),
        [
            "cases[0].request.method: expected PUT, found POST",
            "cases[0].request.url: expected \"https://shop.test/v1/shops/8\", found \"https://shop.test/v1/shops/7\"",
            "cases[0].request.headers.Content-Type: expected no such header, found \"application/x-www-form-urlencoded\"",
            "cases[0].request.headers.X-Gone: expected \"1\", found no such header",
            "cases[0].request.headers.X-Key: expected \"other-key\", found \"secret-key\"",
            "cases[0].request.form.gone: expected \"1\", found nothing",
            "cases[0].request.form.tag: expected \"a-b\", found \"a&b\"",
            "cases[0].request.form.fixed: expected nothing, found \"a b\"",
        ]
    );
    let body = |body: &str| {
        told("operation: put", &format!("  - {{ name: puts, input: {{ shop: 7 }}, request: {{ {body} }} }}"))
    };
    assert_eq!(body("text: fixed=a+b"), [""; 0]);
    assert_eq!(body("text: ''"), ["cases[0].request.text: expected \"\", found \"fixed=a+b\""]);
    assert_eq!(body("json: { a: 1 }"), ["cases[0].request.json: expected {\"a\":1}, found no JSON: fixed=a+b"]);
}

#[test]
fn an_outcome_is_compared_whole() {
    for (end, expected) in [
        ("response: { status: 200, json: { id: 7 } }, output: { id: 7 }", vec![]),
        (
            "response: { status: 200, json: { id: 7 } }, output: { id: '7', more: 1 }",
            vec!["cases[0].output.id: expected \"7\", found 7", "cases[0].output.more: expected 1, found nothing"],
        ),
        (
            "response: { status: 200, json: { id: 7 } }, error: { action: fail }",
            vec!["cases[0].error: expected a failure, found the output {\"id\":7}"],
        ),
        (
            "response: { status: 401 }, output: {}",
            vec![
                "cases[0].output: expected a success, found the failure reauthorize, auth: the partner answered 401 and refused the credentials",
            ],
        ),
        (
            "response: { status: 429, headers: { retry-after: '30' } }, error: { action: rate_limited, after: 30s }",
            vec![],
        ),
        (
            "response: { status: 429 }, error: { action: retry, class: partner, known: false, after: 1m, status: 503, message: busy, message_contains: full }",
            vec![
                "cases[0].error.action: expected retry, found rate_limited",
                "cases[0].error.class: expected partner, found rate_limit",
                "cases[0].error.message: expected \"busy\", found \"the partner answered 429: too many calls\"",
                "cases[0].error.known: expected false, found true",
                "cases[0].error.after: expected 60s, found no word about when",
                "cases[0].error.status: expected 503, found 429",
                "cases[0].error.message_contains: expected a message with \"full\", found \"the partner answered 429: too many calls\"",
            ],
        ),
        ("response: { failure: connect }, error: { class: connection, known: true }", vec![]),
        ("response: { failure: timeout, sent: false }, error: { class: timeout, known: true }", vec![]),
    ] {
        let case = format!("  - {{ name: puts, input: {{ shop: 7 }}, {end} }}");
        assert_eq!(told("operation: put", &case), expected, "{end}");
    }
}

#[test]
fn a_mismatch_is_told_with_its_place() {
    let text = "operation: put\nconnection: { key: k }\ncases:\n  - name: puts\n    input: { shop: 7 }\n    response: { status: 200, json: { id: 7 } }\n    output:\n      id: 8\n";
    let reports = replay(text);
    let mismatch = &reports[0].mismatches[0];
    assert_eq!((reports[0].name.as_str(), reports[0].about.as_str()), ("puts", "put"));
    assert_eq!((mismatch.file.as_str(), mismatch.line, mismatch.column), ("tests/any.yaml", Some(8), Some(11)));
}

#[test]
fn an_input_is_taken_or_refused_as_recorded() {
    for (case, expected) in [
        ("input: { shop: x }, fault: { field: shop, message_contains: whole number }", vec![]),
        ("input: {}, fault: { message: required }", vec![]),
        (
            "input: {}, request: { method: POST }",
            vec!["cases[0].input: expected an input that is taken, found shop: required"],
        ),
        (
            "input: { shop: 7 }, fault: { field: shop }",
            vec!["cases[0].fault: expected shop, found an input that is taken"],
        ),
        (
            "input: { shop: x }, fault: { field: tag, message_contains: long }",
            vec!["cases[0].fault: expected tag: …long…, found shop: expected a whole number, found `x`"],
        ),
    ] {
        assert_eq!(told("operation: put", &format!("  - {{ name: puts, {case} }}")), expected, "{case}");
    }
    let connection = "operation: put\nconnection: { kye: k }\ncases:\n  - { name: puts, request: {} }\n";
    let told: Vec<_> = replay(connection)[0].mismatches.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "cases[0].connection: expected a connection of this partner, found kye: unknown field, did you mean `key`?",
            "cases[0].connection: expected a connection of this partner, found key: required",
        ]
    );
}

#[test]
fn a_failure_that_all_actions_share_is_replayed_for_each() {
    let text = r#"
operations: all
connection: { key: secret-key }
inputs: { put: { shop: 7 } }
cases:
  - { name: refused, inputs: { drop: { shop: 8 } }, response: { status: 401 }, error: { action: reauthorize } }
  - { name: busy, input: { shop: 9 }, response: { status: 429 }, error: { action: rate_limited } }
"#;
    let reports = replay(text);
    let about: Vec<_> = reports.iter().map(|case| (case.name.as_str(), case.about.as_str())).collect();
    assert_eq!(about, [("refused", "put"), ("refused", "drop"), ("busy", "put"), ("busy", "drop")]);
    assert!(reports.iter().all(CaseReport::is_fine), "{reports:#?}");
}

#[test]
fn the_test_of_a_connection_is_replayed() {
    let good = "  - { name: works, request: { method: GET, url: 'https://shop.test/v1/me' }, response: { status: 200, json: { name: Ann } }, output: {}, label: Ann }";
    assert_eq!(told("test: true", good), [""; 0]);
    let other = "  - { name: works, response: { status: 200, json: {} }, label: Ann }";
    assert_eq!(told("test: true", other), ["cases[0].label: expected \"Ann\", found no label"]);
    let refused = "  - { name: refused, response: { status: 401 }, error: { action: reauthorize } }";
    assert_eq!(told("test: true", refused), [""; 0]);
}

#[test]
fn a_list_is_walked_page_after_page() {
    let pages = r#"
  - name: two pages
    input: { shop: 7 }
    exchanges:
      - request: { url: "https://shop.test/v1/shops/7/tags?page=1&size=2" }
        response: { status: 200, json: { items: [{ id: 1, name: One }, { id: 2, name: Two }] } }
      - request: { url: "https://shop.test/v1/shops/7/tags?page=2&size=2" }
        response: { status: 200, json: { items: [{ id: 3, name: Three }] } }
    items: [{ key: 1, label: One }, { key: 2 }, { key: 3, label: Three }]
"#;
    assert_eq!(told("list: tags", pages), [""; 0]);
    let one_missing = pages.replace(", { key: 3, label: Three }]", "]").replace("key: 2", "key: 5");
    assert_eq!(
        told("list: tags", &one_missing),
        [
            "cases[0].items[1].key: expected \"5\", found \"2\"",
            "cases[0].items[2]: expected nothing, found {\"key\":\"3\",\"label\":\"Three\",\"required\":false,\"type\":null}",
        ]
    );
    let asks_more = "  - { name: one, input: { shop: 7 }, exchanges: [{ response: { status: 200, json: { items: [{ id: 1, name: a }, { id: 2, name: b }] } } }], items: [] }";
    assert_eq!(
        told("list: tags", asks_more),
        [
            "cases[0].exchanges: expected no further request, found GET \"https://shop.test/v1/shops/7/tags?page=2&size=2\""
        ]
    );
    let ends_early = "  - { name: two, input: { shop: 7 }, exchanges: [{ response: { status: 200, json: { items: [] } } }, { response: { status: 200 } }], items: [] }";
    assert_eq!(
        told("list: tags", ends_early),
        ["cases[0].exchanges[1]: expected a further request, found the end of the list after 1 pages"]
    );
    let fails = "  - { name: refused, input: { shop: 7 }, response: { status: 401 }, error: { action: reauthorize } }";
    assert_eq!(told("list: tags", fails), [""; 0]);
    let fixed = "  - { name: fixed, items: [{ key: red, label: Red }, { key: blue, label: blue }] }";
    assert_eq!(told("list: colours", fixed), [""; 0]);
}

#[test]
fn a_delivery_is_verified_split_and_selected() {
    let case = r#"
  - name: signed
    parameters: { kind: a }
    now: "2026-01-02T03:04:05Z"
    delivery: { sign: true, json: { items: [{ id: 1, kind: a }, { id: 2, kind: b }] } }
    fired: [{ event_id: 1, payload: { id: 1, kind: a } }]
"#;
    assert_eq!(told("trigger: added", case), [""; 0]);
    let other = case.replace("event_id: 1, payload: { id: 1, kind: a }", "event_id: 9, payload: { id: 1 }");
    assert_eq!(
        told("trigger: added", &other),
        [
            "cases[0].fired[0].event_id: expected \"9\", found \"1\"",
            "cases[0].fired[0].payload.kind: expected nothing, found \"a\"",
        ]
    );
    let none = case.replace("kind: a }\n    now", "kind: c }\n    now");
    assert_eq!(told("trigger: added", &none), ["cases[0].fired[0]: expected an event, found 0 events only"]);
    let more = case.replace("fired: [{ event_id: 1, payload: { id: 1, kind: a } }]", "fired: []");
    assert_eq!(
        told("trigger: added", &more),
        ["cases[0].fired: expected no further event, found event 0: {\"id\":1,\"kind\":\"a\"}"]
    );
    let text = "  - { name: raw, delivery: { sign: true, text: '{\"a\": 1 }' }, fired: [{ payload: { a: 1 } }] }";
    assert!(
        told("trigger: told", text).iter().all(|line| line.contains("secret")),
        "{:?}",
        told("trigger: told", text)
    );
}

#[test]
fn a_delivery_is_refused_as_recorded() {
    let forged = "  - { name: forged, delivery: { headers: { X-Time: '1767323045', X-Signature: sha256=00 }, json: {} }, refused: signature }";
    assert_eq!(told("trigger: added", forged), [""; 0]);
    let taken = "  - { name: taken, delivery: { sign: true, json: {} }, refused: signature }";
    assert_eq!(
        told("trigger: added", taken),
        ["cases[0].refused: expected \"signature\", found a delivery that is taken"]
    );
    let old = "  - { name: old, delivery: { sign: true, headers: { X-Time: '1000' }, json: {} }, refused: 'more than the tolerance' }";
    assert_eq!(told("trigger: added", old).len(), 0, "{:?}", told("trigger: added", old));
}

#[test]
fn mistakes_in_a_file_are_told_with_their_place() {
    let cases = "\ncases:\n  - { name: a, request: {} }\n";
    let mut wrong = Vec::new();
    for (text, expected) in [
        (
            format!("operation: puts{cases}"),
            "tests/any.yaml:1:12: operation: the manifest has no action `puts` (hint: did you mean `put`?)",
        ),
        (
            format!("list: tag{cases}").replace("request: {}", "items: []"),
            "tests/any.yaml:1:7: list: the manifest has no list `tag` (hint: did you mean `tags`?)",
        ),
        (format!("cases_: 1{cases}"), "tests/any.yaml:1:1: cases_: unknown key `cases_`, expected one of"),
        (
            cases.trim_start().to_owned(),
            "tests/any.yaml:1:1: the file does not say what it is about (hint: begin with `operation: KEY`",
        ),
        (format!("operation: put\nlist: tags{cases}"), "the file is about more than one thing"),
        (format!("test: false{cases}"), "tests/any.yaml:1:7: test: expected `true`"),
        ("operation: put\ncases: []\n".to_owned(), "tests/any.yaml:2:8: cases: there is no case"),
        (
            format!("operation: put{cases}  - {{ name: a, request: {{}} }}\n"),
            "tests/any.yaml:4:13: cases[1].name: another case has the name `a`",
        ),
        (
            format!("operation: put{}", cases.replace("request: {}", "items: []")),
            "cases[0].items: has no meaning in a case about an action",
        ),
        (format!("operation: put{}", cases.replace("request: {}", "input: {}")), "cases[0]: the case shows nothing"),
        (
            format!("operation: put{}", cases.replace("request: {}", "output: {}")),
            "cases[0]: the key `response` is missing",
        ),
        (
            format!("operation: put{}", cases.replace("request: {}", "response: { json: {} }, output: {}")),
            "cases[0].response: the key `status` is missing",
        ),
        (
            format!(
                "operation: put{}",
                cases.replace("request: {}", "response: { failure: timeout, status: 200 }, error: {}")
            ),
            "cases[0].response: no answer has a status",
        ),
        (
            format!("operation: put{}", cases.replace("request: {}", "response: { failure: tired }, error: {}")),
            "cases[0].response.failure: unknown value `tired`, expected one of `timeout`",
        ),
        (
            format!("operation: put{}", cases.replace("request: {}", "request: { json: {}, text: a }")),
            "cases[0].request: there is more than one body",
        ),
        (
            format!("operation: put{}", cases.replace("request: {}", "request: { headers: { 'a b': c } }")),
            "cases[0].request.headers.a b: `a b` is no name of a header",
        ),
        (
            format!("operation: put{}", cases.replace("request: {}", "fault: {}, output: {}")),
            "cases[0].output: an input that is refused has no `output`",
        ),
        (
            format!("operation: put\ninputs: {{ put: {{}} }}{cases}"),
            "inputs: inputs by action stand only beside `operations: all`",
        ),
        (
            format!("operations: all{}", cases.replace("request: {}", "inputs: { push: {} }, request: {}")),
            "cases[0].inputs.push: the manifest has no action `push` (hint: did you mean `put`?)",
        ),
        (
            format!("trigger: added{}", cases.replace("request: {}", "delivery: {}, now: soon, fired: []")),
            "cases[0].now: expected a time (hint: write UTC like",
        ),
        (
            format!("trigger: added{}", cases.replace("request: {}", "fired: []")),
            "cases[0]: the key `delivery` is missing",
        ),
        (
            format!("trigger: added{}", cases.replace("request: {}", "delivery: {}")),
            "cases[0]: the case does not say what becomes of the delivery",
        ),
    ] {
        let told = refused(&text);
        if !told.iter().any(|line| line.contains(expected)) {
            wrong.push(format!("{text}\nexpected {expected}\nfound {told:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_others_wrote_is_shown_bounded() {
    let case = format!(
        "  - {{ name: long, input: {{ shop: 7 }}, response: {{ status: 200, json: {{ id: {} }} }}, output: {{ id: 1 }} }}",
        "x".repeat(100_000)
    );
    let told = told("operation: put", &case);
    assert!(told.len() == 1 && told[0].len() < 1_000, "{}", told[0].len());
    let many: String = (0..500).map(|index| format!("k{index}: 1, ")).collect();
    let case = format!(
        "  - {{ name: many, input: {{ shop: 7 }}, response: {{ status: 200, json: {{}} }}, output: {{ {many} }} }}"
    );
    let told = self::told("operation: put", &case);
    assert!(told.len() == 20 && told[19].ends_with("(and 480 more mismatches)"), "{told:?}");
}

#[test]
fn the_connectors_that_come_with_patchbay_do_what_their_recordings_say() {
    let files = |folder: &Path| {
        let mut paths: Vec<_> = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    };
    let read = |path: &Path| (path.display().to_string(), fs::read_to_string(path).unwrap());
    let (mut told, mut replayed) = (Vec::new(), 0);
    for folder in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../connectors")) {
        let (name, text) = read(&folder.join("connector.yaml"));
        let connector = Connector::compile(Manifest::parse(&name, &text).unwrap()).unwrap();
        for path in files(&folder.join("tests")) {
            let (name, text) = read(&path);
            match Recording::parse(&name, &text).and_then(|recording| recording.replay(&connector)) {
                Ok(cases) => {
                    replayed += cases.len();
                    let mismatches = cases.iter().flat_map(|case| &case.mismatches);
                    told.extend(mismatches.map(|mismatch| format!("{name}: {mismatch}")));
                }
                Err(errors) => told.extend(errors.iter().map(ToString::to_string)),
            }
        }
    }
    assert!(told.is_empty(), "{}", told.join("\n"));
    assert!(replayed >= 50, "{replayed}");
}
