//! Flags, files and variables: what is wrong is named, and nothing is touched.

use std::{fs, path::Path};

use crate::process::{Ended, command, finish, run, up};

fn is_refused(ended: &Ended, data: &Path, names: &[&str]) {
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.errors.starts_with("error: "), "{ended:?}");
    for name in names {
        assert!(ended.errors.contains(name), "{name}: {ended:?}");
    }
    assert!(!data.exists(), "something was written");
}

#[test]
fn a_wrong_flag_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    is_refused(&run(&up(&data, &["--colour"])), &data, &["--colour"]);
    is_refused(&run(&up(&data, &["--sandbox-listen", "127.0.0.1:0"])), &data, &["--demo"]);
    is_refused(&run(&["up", "--data-dir", data.to_str().unwrap(), "--listen", "nowhere"]), &data, &["--listen"]);
}

#[test]
fn a_wrong_key_or_value_of_a_file_is_refused_with_the_file_and_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("patchbay.toml"));
    let cases = [
        ("[store]\ncolour = 1\n", "colour"),
        ("[executor]\nlease = \"soon\"\n", "executor.lease"),
        ("[executor]\nin_flight = \"many\"\n", "executor.in_flight"),
        ("[[[", "line 1"),
    ];
    for (text, name) in cases {
        fs::write(&file, text).unwrap();
        is_refused(&run(&up(&data, &["--config", file.to_str().unwrap()])), &data, &["patchbay.toml", name]);
    }
    is_refused(&run(&up(&data, &["--config", "/nowhere.toml"])), &data, &["/nowhere.toml"]);
}

#[test]
fn a_wrong_variable_of_the_environment_is_refused_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let cases = [
        ("PATCHBAY__STORE__COLOUR", "1", "PATCHBAY__STORE__COLOUR"),
        ("PATCHBAY__EXECUTOR__LEASE", "soon", "PATCHBAY__EXECUTOR__LEASE"),
        ("PATCHBAY__EGRESS__ALLOW_PRIVATE", r#"["10.0.0.0/40"]"#, "10.0.0.0/40"),
        ("PATCHBAY__STORE__URL", "mysql://ann:s3cret@db", "store.url"),
        ("PATCHBAY__BROKER__URL", "kafka://ann:s3cret@mq", "not in this version"),
        ("PATCHBAY__BROKER__PREFIX", "two words", "broker.prefix"),
        ("PATCHBAY__PEERS__POSTMAN", "http://127.0.0.1:1", "PATCHBAY__PEERS__POSTMAN"),
        ("PATCHBAY__CALLS__TIMEOUT", "soon", "PATCHBAY__CALLS__TIMEOUT"),
        ("PATCHBAY__VAULT__MASTER_KEYS", "s3cret", "PATCHBAY__VAULT__MASTER_KEYS"),
        ("PATCHBAY__VAULT__MASTER_KEYS", r#"["first:s3cret"]"#, "item 1"),
        ("PATCHBAY__INGRESS__MAX_BODY_BYTES", "0", "max_body_bytes"),
        ("PATCHBAY__EXECUTOR__CIRCUIT_FAILURES", "0", "executor.circuit_failures"),
        ("PATCHBAY__GATEWAY__TOKEN_DAYS", "0", "token_days"),
        ("PATCHBAY__PUBLIC_URL", "patchbay.example.com", "public_url"),
        ("PATCHBAY__LOG__FILTER", "patchbay=loudly", "log filter"),
        ("PATCHBAY__LOG__FORMAT", "xml", "PATCHBAY__LOG__FORMAT"),
    ];
    for (variable, value, name) in cases {
        let mut call = command(&up(&data, &[]));
        call.env(variable, value);
        let ended = finish(call);
        is_refused(&ended, &data, &[name]);
        assert!(!ended.errors.contains("s3cret"), "{ended:?}");
    }
}

#[test]
fn the_reference_is_a_file_that_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("patchbay.toml");
    let reference = run(&["config", "reference"]);
    assert_eq!(reference.code, Some(0), "{reference:?}");
    fs::write(&file, &reference.output).unwrap();

    let with = run(&["config", "print", "--config", file.to_str().unwrap()]);
    let without = run(&["config", "print"]);
    assert_eq!((with.code, &with.output), (Some(0), &without.output), "{with:?}");
    assert!(with.output.contains("url = \"sqlite://./patchbay-data/patchbay.db\""), "{with:?}");
}

#[test]
fn secrets_are_printed_masked() {
    let mut call = command(&["config", "print"]);
    call.env("PATCHBAY__STORE__URL", "postgres://ann:s3cret@db/patchbay");
    call.env("PATCHBAY__BROKER__URL", "amqp://ann:s3cret@mq/patchbay");
    call.env("PATCHBAY__SERVICE_AUTH__TOKEN", "s3cret-of-all-processes");
    call.env("PATCHBAY__VAULT__MASTER_KEYS", r#"["first:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="]"#);
    let printed = finish(call);
    assert_eq!(printed.code, Some(0), "{printed:?}");
    assert!(printed.output.contains("postgres://ann:••@db/patchbay"), "{printed:?}");
    assert!(printed.output.contains("amqp://ann:••@mq/patchbay"), "{printed:?}");
    assert!(printed.output.contains("token = \"••\""), "{printed:?}");
    assert!(printed.output.contains("\"first:••\""), "{printed:?}");
    assert!(!printed.output.contains("s3cret") && !printed.output.contains("AAECAw"), "{printed:?}");
}
