//! What `serve` and `migrate` refuse before anything is bound, and tables brought up to date.

use crate::process::{Ended, command, finish, run};

const KEY: &str = r#"["first:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="]"#;

/// A call of `serve` on shared servers that nobody reaches, with these settings over what suffices.
fn serve(roles: &str, more: &[&str], settings: &[(&str, &str)]) -> Ended {
    let any = "127.0.0.1:0";
    let mut arguments = vec!["serve", "--roles", roles, "--listen", any, "--admin-listen", any];
    if !more.contains(&"--grpc-listen") {
        arguments.extend(["--grpc-listen", any]);
    }
    arguments.extend(more);
    let mut call = command(&arguments);
    call.env("PATCHBAY__STORE__URL", "postgres://ann:s3cret@127.0.0.1:1/patchbay");
    call.env("PATCHBAY__BROKER__URL", "amqp://ann:s3cret@127.0.0.1:1/patchbay");
    call.env("PATCHBAY__SERVICE_AUTH__TOKEN", "s3cret-of-all-processes");
    call.env("PATCHBAY__VAULT__MASTER_KEYS", KEY);
    call.env("PATCHBAY__PEERS__CONNECTION", "http://127.0.0.1:1");
    call.envs(settings.iter().copied());
    finish(call)
}

fn is_refused(ended: &Ended, words: &[&str]) {
    assert_eq!((ended.code, ended.output.as_str()), (Some(2), ""), "{ended:?}");
    assert!(words.iter().all(|word| ended.errors.contains(word)), "{words:?}: {ended:?}");
    assert!(!ended.errors.contains("s3cret"), "{ended:?}");
}

#[test]
fn serve_refuses_roles_that_it_does_not_know_or_that_are_named_twice() {
    is_refused(&serve("postman", &[], &[]), &["postman", "connection", "action-executor", "gateway"]);
    is_refused(&serve("connection,connection", &[], &[]), &["connection is named twice"]);
    is_refused(&run(&["serve"]), &["--roles"]);
}

#[test]
fn serve_refuses_what_only_one_process_can_use() {
    is_refused(&serve("connection", &[], &[("PATCHBAY__STORE__URL", "sqlite:///tmp/x.db")]), &["store.url", "hint: "]);
    let embedded = ("PATCHBAY__BROKER__URL", "embedded:///tmp/x");
    is_refused(&serve("connection", &[], &[embedded]), &["broker.url", "hint: "]);
}

#[test]
fn serve_refuses_to_start_without_token_keys_or_peers() {
    is_refused(&serve("connection", &[], &[("PATCHBAY__SERVICE_AUTH__TOKEN", "")]), &["service_auth.token", "hint: "]);
    let short = ("PATCHBAY__SERVICE_AUTH__TOKEN", "s3cret");
    is_refused(&serve("connection", &[], &[short]), &["service_auth.token", "16"]);
    is_refused(&serve("connection", &[], &[("PATCHBAY__VAULT__MASTER_KEYS", "[]")]), &["vault.master_keys", "hint: "]);
    is_refused(&serve("webhook-ingress", &[], &[]), &["peers.automation", "webhook-ingress", "hint: "]);
}

#[test]
fn serve_refuses_to_send_secrets_in_the_clear() {
    let elsewhere = ("PATCHBAY__PEERS__CONNECTION", "http://10.1.2.3:8081");
    is_refused(&serve("automation", &[], &[elsewhere]), &["peers.connection", "10.1.2.3", "TLS"]);
    is_refused(&serve("connection", &["--grpc-listen", "0.0.0.0:0"], &[]), &["0.0.0.0", "TLS"]);
    let secured = ("PATCHBAY__PEERS__CONNECTION", "https://10.1.2.3:8081");
    is_refused(&serve("automation", &[], &[secured]), &["peers.connection", "service_auth.certificate"]);
    let half = ("PATCHBAY__SERVICE_AUTH__KEY", "/nowhere.pem");
    is_refused(&serve("connection", &[], &[half]), &["service_auth.certificate"]);
}

#[test]
fn tables_are_brought_up_to_date_once_and_looked_at_without_a_change() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let migrate = |more: &[&str]| run(&[&["migrate", "--data-dir", data.to_str().unwrap()], more].concat());

    let nothing_there = migrate(&["--check"]);
    assert_eq!(nothing_there.code, Some(1), "{nothing_there:?}");
    assert!(nothing_there.errors.contains("there is no database") && !data.exists(), "{nothing_there:?}");

    let first = migrate(&["--json"]);
    assert_eq!(first.code, Some(0), "{first:?}");
    let applied: serde_json::Value = serde_json::from_str(&first.output).unwrap();
    let services = applied["applied"].as_array().unwrap().iter().map(|step| step["service"].as_str().unwrap());
    for service in ["connection", "automation", "catalog", "executor", "gateway"] {
        assert!(services.clone().any(|known| known.ends_with(service)), "{service}: {first:?}");
    }
    let again = migrate(&[]);
    assert_eq!(
        (again.code, again.output.as_str()),
        (Some(0), "nothing to do: all tables are up to date\n"),
        "{again:?}"
    );
    let looked = migrate(&["--check"]);
    assert_eq!((looked.code, looked.output.as_str()), (Some(0), "all tables are up to date\n"), "{looked:?}");
}

#[test]
fn a_database_that_can_not_be_reached_is_named_without_its_password() {
    let mut call = command(&["migrate"]);
    call.env("PATCHBAY__STORE__URL", "postgres://ann:s3cret@127.0.0.1:1/patchbay");
    let ended = finish(call);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.errors.contains("127.0.0.1:1: connection refused") && !ended.errors.contains("s3cret"), "{ended:?}");
}
