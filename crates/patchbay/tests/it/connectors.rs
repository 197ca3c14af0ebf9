//! The commands for people who write connectors.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::process::{Ended, run};

const MANIFEST: &str = r#"schema: patchbay.connector/v1
partner: { key: shop, id: 1, title: Shop, version: 1.0.0 }
connection:
  fields: [{ name: key, label: Key, type: secret, required: true }]
  auth: { kind: bearer, token: "{{ connection.key }}" }
http:
  base_url: https://shop.test
  timeout: 5s
  success: status == 200
  errors: [{ when: status == 401, action: reauthorize }]
operations:
  - key: put
    id: 2
    kind: action
    title: Put
    description: Puts it
    fields: [{ name: id, label: Id, type: integer, required: true }]
    request: { method: POST, path: "/put/{{ input.id }}" }
    output: { id: body.id }
    sample: { id: 1 }
"#;

const EXCHANGES: &str = r#"operation: put
connection: { key: secret-key }
cases:
  - name: puts
    input: { id: 7 }
    request: { method: POST, url: https://shop.test/put/7 }
    response: { status: 200, json: { id: 8 } }
    output: { id: 8 }
"#;

fn write(folder: &Path, manifest: &str, exchanges: Option<&str>) {
    fs::create_dir_all(folder.join("tests")).unwrap();
    fs::write(folder.join("connector.yaml"), manifest).unwrap();
    if let Some(exchanges) = exchanges {
        fs::write(folder.join("tests/put.yaml"), exchanges).unwrap();
    }
}

fn connector(command: &str, path: &Path, flags: &[&str]) -> Ended {
    let mut arguments = vec!["connector", command, path.to_str().unwrap()];
    arguments.extend(flags);
    run(&arguments)
}

fn json_of(ended: &Ended) -> Value {
    serde_json::from_str(&ended.output).unwrap()
}

#[test]
fn a_good_connector_is_fine_by_folder_manifest_and_recording() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), MANIFEST, Some(EXCHANGES));
    for path in ["", "connector.yaml", "tests/put.yaml"] {
        let path = folder.path().join(path);
        let lint = connector("lint", &path, &["--strict"]);
        assert_eq!((lint.code, lint.output.as_str()), (Some(0), "0 errors, 0 warnings in 2 files\n"), "{lint:?}");
        let test = connector("test", &path, &[]);
        assert_eq!((test.code, test.output.as_str()), (Some(0), "1 case in 1 file, all as recorded\n"), "{test:?}");
    }
}

#[test]
fn each_mistake_is_told_on_its_own_with_its_place_and_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    let manifest =
        MANIFEST.replace("status == 200", "stats == 200").replace("/put/{{ input.id }}", "/put/{{ input.idd }}");
    write(folder.path(), &manifest, Some(&EXCHANGES.replace("output", "outptu")));
    let lint = connector("lint", folder.path(), &[]);
    let file = |name: &str| folder.path().join(name).display().to_string();
    assert_eq!(lint.code, Some(1), "{lint:?}");
    assert_eq!(lint.errors, "error: 3 errors, 1 warning in 2 files\n", "{lint:?}");
    for line in [
        format!("{}:9:12: http.success: unknown name `stats`", file("connector.yaml")),
        format!("{}:18:36: operations[0].request.path: there is no field `idd`", file("connector.yaml")),
        "hint: did you mean `id`?".to_owned(),
        format!("{}:12:5: operations[0]: warning: the action has no recorded exchanges", file("connector.yaml")),
        format!("{}:8:5: cases[0].outptu: unknown key `outptu`, expected one of", file("tests/put.yaml")),
        "hint: did you mean `output`?".to_owned(),
    ] {
        assert!(lint.output.lines().any(|told| told.starts_with(&line)), "{line}\n{}", lint.output);
    }
}

#[test]
fn warnings_are_errors_only_when_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = MANIFEST
        .replace("    description: Puts it\n", "")
        .replace("    output: { id: body.id }\n    sample: { id: 1 }\n", "")
        .replace("  errors: [{ when: status == 401, action: reauthorize }]\n", "");
    write(folder.path(), &manifest, None);
    let lint = connector("lint", folder.path(), &["--json"]);
    let report = json_of(&lint);
    let warnings: Vec<_> = report["files"][0]["warnings"].as_array().unwrap().iter().map(|it| &it["message"]).collect();
    assert_eq!((lint.code, &report["files"][0]["errors"]), (Some(0), &json!([])));
    assert_eq!(
        warnings,
        [
            "no rule says how the partner refuses credentials",
            "the operation has no `description`",
            "the operation has no `sample`",
            "the action has no `output`",
            "the action has no recorded exchanges",
        ]
    );
    assert_eq!(connector("lint", folder.path(), &["--strict"]).code, Some(1));
    let test = connector("test", folder.path(), &[]);
    assert_eq!(test.code, Some(1), "{test:?}");
    assert!(test.output.contains("there are no recorded exchanges to replay"), "{test:?}");
}

#[test]
fn what_is_not_as_recorded_is_shown_place_by_place() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), MANIFEST, Some(&EXCHANGES.replace("output: { id: 8 }", "output: { id: 9 }")));
    let file = folder.path().join("tests/put.yaml").display().to_string();
    let test = connector("test", folder.path(), &[]);
    assert_eq!((test.code, test.errors.as_str()), (Some(1), "error: 1 case in 1 file, 1 error\n"), "{test:?}");
    let expected =
        format!("{file}:8:19: cases[0].output.id: `puts` of `put` is not as recorded\n  expected: 9\n  found:    8\n");
    assert_eq!(test.output, expected);

    let report = json_of(&connector("test", folder.path(), &["--json"]));
    let error = json!({
        "line": 8, "column": 19, "path": "cases[0].output.id", "message": "`puts` of `put` is not as recorded", "hint": null,
        "expected": "9", "found": "8",
    });
    assert_eq!(report, json!({ "files": [{ "file": file, "errors": [error], "warnings": [], "cases": 1 }] }));
}

#[test]
fn bytes_that_are_no_text_and_files_that_are_too_large_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("connector.yaml");
    fs::write(&file, b"schema: \xff\n").unwrap();
    let lint = connector("lint", &file, &[]);
    assert_eq!((lint.code, lint.output.contains(":1:9: the text is not UTF-8\nhint: ")), (Some(1), true), "{lint:?}");
    fs::write(&file, "#".repeat(3 << 20)).unwrap();
    let lint = connector("lint", &file, &[]);
    assert_eq!((lint.code, lint.output.contains("larger than 1048576 bytes")), (Some(1), true), "{lint:?}");
}

#[test]
fn a_path_without_a_connector_is_wrong_usage() {
    let folder = tempfile::tempdir().unwrap();
    for command in ["lint", "test"] {
        let missing = connector(command, &folder.path().join("none.yaml"), &[]);
        assert_eq!((missing.code, missing.output.as_str()), (Some(2), ""), "{missing:?}");
        assert!(missing.errors.contains("none.yaml") && missing.errors.contains("hint: "), "{missing:?}");
        let empty = connector(command, folder.path(), &[]);
        assert_eq!((empty.code, empty.errors.contains("has no connector.yaml")), (Some(2), true), "{empty:?}");
        assert_eq!(run(&["connector", command]).code, Some(2));
    }
}

#[test]
fn the_schema_is_json() {
    let schema = run(&["connector", "schema"]);
    let parsed: Value = serde_json::from_str(&schema.output).unwrap();
    assert_eq!((schema.code, &parsed["title"]), (Some(0), &json!("Patchbay connector manifest")));
}

#[test]
fn the_connectors_that_come_with_patchbay_do_what_their_recordings_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../connectors");
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let lint = connector("lint", &path, &["--strict"]);
        assert_eq!(lint.code, Some(0), "{lint:?}");
        let test = connector("test", &path, &[]);
        assert_eq!(test.code, Some(0), "{test:?}");
    }
}

/// The blocks of YAML in the guide for authors, in their order.
fn blocks_of_the_guide() -> Vec<String> {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/connectors.md");
    let text = fs::read_to_string(guide).unwrap();
    let blocks = text.split("```yaml\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn the_walk_of_the_guide_leads_to_a_connector() {
    let folder = tempfile::tempdir().unwrap();
    let blocks = blocks_of_the_guide();
    let [_, head, action, lists, trigger, exchanges] = blocks.as_slice() else { panic!("{} blocks", blocks.len()) };
    let head = head.strip_suffix("operations:\n").unwrap();
    write(folder.path(), &format!("{head}{lists}\noperations:\n{action}{trigger}"), None);
    fs::write(folder.path().join("tests/create_contact.yaml"), exchanges).unwrap();

    let lint = connector("lint", folder.path(), &["--strict"]);
    assert_eq!((lint.code, lint.output.as_str()), (Some(0), "0 errors, 0 warnings in 2 files\n"), "{lint:?}");
    let test = connector("test", folder.path(), &[]);
    assert_eq!((test.code, test.output.as_str()), (Some(0), "4 cases in 1 file, all as recorded\n"), "{test:?}");
}
