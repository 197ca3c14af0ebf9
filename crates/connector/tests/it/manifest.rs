//! What is told about broken manifests.

use patchbay_connector::{Catalog, CatalogError, Connector, Manifest};

const VALID: &str = r#"schema: patchbay.connector/v1
partner: { key: shop, id: 1, title: Shop, version: 1.0.0 }
connection:
  fields:
    - { name: host, label: Host, type: string, default: shop.test, validate: host }
    - { name: token, label: Token, type: secret, required: true }
  auth: { kind: bearer, token: "{{ connection.token }}" }
http:
  base_url: "https://{{ connection.host }}/v1"
  timeout: 5s
  success: "status == 200"
  errors:
    - { when: "status == 418", action: retry }
operations:
  - key: put
    id: 2
    kind: action
    title: Put
    fields:
      - { name: db_id, label: Database, type: integer, required: true }
    request:
      method: POST
      path: /put
      json:
        db: "{{ input.db_id }}"
    output: { id: body.id }
"#;

fn compile(text: &str) -> Result<Connector, Vec<String>> {
    Manifest::parse("shop.yaml", text)
        .and_then(Connector::compile)
        .map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

#[test]
fn a_valid_manifest_compiles() {
    assert!(compile(VALID).is_ok());
}

#[test]
fn mistakes_are_told_with_their_place() {
    let mut wrong = Vec::new();
    for (from, to, expected) in [
        (
            "connector/v1",
            "connector/v9",
            "shop.yaml:1:9: schema: expected `patchbay.connector/v1`, found `patchbay.connector/v9`",
        ),
        (
            "key: shop",
            "key: Shop",
            "shop.yaml:2:17: partner.key: expected a name of small letters, digits, `_` and `-`, found `Shop`",
        ),
        ("id: 1,", "id: one,", "shop.yaml:2:27: partner.id: expected a whole number"),
        (
            "type: integer",
            "type: int",
            "shop.yaml:20:47: operations[0].fields[0].type: unknown type `int`, expected `string`",
        ),
        (
            "required: true }\n    request",
            "requird: true }\n    request",
            "unknown key `requird`, expected one of `name`, `label`",
        ),
        (
            "kind: bearer",
            "kind: beerer",
            "connection.auth.kind: unknown value `beerer`, expected one of `bearer`, `api_key`, `basic`, `none` (hint: did you mean `bearer`?)",
        ),
        ("action: retry", "action: again", "shop.yaml:13:40: http.errors[0].action: unknown value `again`"),
        (
            "timeout: 5s",
            "timeout: 5 minutes",
            "http.timeout: expected a duration like `10s`, `500ms` or `2m`, found string \"5 minutes\"",
        ),
        ("  success: \"status == 200\"\n", "", "shop.yaml:9:3: http: the key `success` is missing"),
        ("success: \"status == 200\"", "success: \"{{ status }}\"", "shop.yaml:11:12: http.success: "),
        (
            "\"status == 200\"",
            "\"stats == 200\"",
            "shop.yaml:11:12: http.success: unknown name `stats`, expected one of `input`, `status`, `headers`, `body` (hint: did you mean `status`?)",
        ),
        (
            "\"status == 200\"",
            "\"trigger.x\"",
            "shop.yaml:11:12: http.success: there is no `trigger` here, only `input`, `status`, `headers`, `body`",
        ),
        (
            "{{ input.db_id }}",
            "{{ input.db_id",
            "shop.yaml:25:13: operations[0].request.json.db: `{{` has no closing `}}`",
        ),
        (
            "{{ input.db_id }}",
            "{{ input.db_id | integer }}",
            "shop.yaml:25:13: operations[0].request.json.db: unknown filter `integer`",
        ),
        (
            "id: body.id",
            "id: connection.token",
            "shop.yaml:26:19: operations[0].output.id: there is no `connection` here",
        ),
        (
            "path: /put",
            "path: put",
            "shop.yaml:23:13: operations[0].request.path: expected a path that starts with `/`",
        ),
        ("default: shop.test", "default: shop/test", "shop.yaml:5:57: connection.fields[0].default: expected a host"),
        ("token: \"{{ connection.token }}\" }", "}", "shop.yaml:7:9: connection.auth: the key `token` is missing"),
        ("kind: bearer", "kind: none", "shop.yaml:7:30: connection.auth.token: has no meaning for this kind"),
        ("name: token", "name: host", "shop.yaml:6:15: connection.fields[1].name: another field has the name `host`"),
        (
            "required: true }\n    request",
            "show_when: \"input.db == 1\" }\n    request",
            "operations[0].fields[0].show_when: there is no field `db` (hint: ",
        ),
        ("    title: Put\n", "    title: Put\n    title: Again\n", "shop.yaml:19:5: "),
        ("    title: Put\n", "   title: [Put\n", "shop.yaml:"),
        ("kind: action", "kind: trigger", "shop.yaml:22:7: operations[0].request: has no meaning for a trigger"),
    ] {
        assert!(VALID.contains(from), "{from}");
        let errors = compile(&VALID.replacen(from, to, 1)).unwrap_err();
        if !errors.iter().any(|error| error.contains(expected)) {
            wrong.push(format!("{to}\nexpected {expected}\nfound {errors:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = VALID
        .replace("path: /put", "path: put")
        .replace("id: body.id", "id: body.")
        .replace("\"status == 418\"", "\"stats\"");
    assert_eq!(compile(&text).unwrap_err().len(), 3);
}

#[test]
fn two_connectors_can_not_share_ids() {
    let other = |from: &str, to: &str| {
        let connectors = [compile(VALID).unwrap(), compile(&VALID.replacen(from, to, 1)).unwrap()];
        Catalog::new(connectors).unwrap_err()
    };
    assert!(matches!(other("x", "x"), CatalogError::Duplicate { what: "partner", .. }));
    assert!(matches!(other("key: shop", "key: store"), CatalogError::Duplicate { what: "partner id", .. }));
    let renamed = VALID.replacen("key: shop, id: 1", "key: store, id: 9", 1);
    let clash = Catalog::new([compile(VALID).unwrap(), compile(&renamed).unwrap()]).unwrap_err();
    assert!(matches!(clash, CatalogError::Duplicate { what: "operation id", .. }));
}
