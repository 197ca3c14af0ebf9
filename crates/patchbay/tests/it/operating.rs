//! The commands `runs` and `deadletters`, beside a running process.

use std::path::Path;

use patchbay_testing::{http, wait_for};
use serde_json::{Value, json};

use crate::{
    demo::{JSON, items, send, start},
    process::{Ended, PATIENCE, Process, address, command, run, run_with_input},
};

/// What a command prints as JSON over a data directory.
fn asked(data: &Path, words: &[&str]) -> Value {
    let ended = said(data, &[words, &["--json"]].concat());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    serde_json::from_str(&ended.output).unwrap()
}

fn said(data: &Path, words: &[&str]) -> Ended {
    run(&[words, &["--data-dir", data.to_str().unwrap()]].concat())
}

/// The only run, as soon as it has this status.
async fn run_is(data: &Path, status: &str) -> Value {
    wait_for(&format!("a run to be {status}"), PATIENCE, async || {
        let runs = asked(data, &["runs", "list"])["items"].as_array().unwrap().clone();
        assert!(runs.len() < 2, "{runs:?}");
        runs.into_iter().find(|run| run["status"] == status)
    })
    .await
}

#[tokio::test]
async fn a_failed_run_is_found_mended_and_gone_from_the_dead_letters() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let (process, ready) = start(data);
    let sandbox = address(&ready, "sandbox_listen");
    let fault = json!({
        "match": "POST /api/v1.1/workflows/import_and_start", "status": 200, "times": 1,
        "body": r#"{"error": 402, "error_text": "tariff limit"}"#,
    });
    let made = http::call(sandbox, "POST", "/_/faults", &[JSON], fault.to_string().as_bytes()).await.unwrap();
    assert!(made.status < 300, "{made:?}");
    assert_eq!(said(data, &["runs", "list"]).output, "no runs\n");
    send(&ready, "fire").await;

    let failed = run_is(data, "failed").await;
    let id = failed["id"].as_str().unwrap();
    assert_eq!((asked(data, &["runs", "show", id]), asked(data, &["runs", "show"])), (failed.clone(), failed.clone()));
    let listed = said(data, &["runs", "list", "--status", "failed"]).output;
    assert!(listed.contains(id) && listed.contains("tariff limit"), "{listed}");
    let shown = said(data, &["runs", "show", id]).output;
    assert!(shown.contains("step launch: altcraft.import_and_launch_scenario failed after 1 attempt"), "{shown}");
    assert!(shown.contains("error   partner: tariff limit (HTTP 200)"), "{shown}");

    let letters = asked(data, &["deadletters", "list"])["items"].clone();
    assert_eq!((&letters[0]["kind"], &letters[0]["run_id"]), (&json!("run"), &failed["id"]));
    let letter = letters[0]["id"].to_string();
    assert_eq!(asked(data, &["deadletters", "show", &letter])["reason"], letters[0]["reason"]);
    assert_eq!(asked(data, &["deadletters", "replay", &letter]), json!({"replayed": [letters[0]["id"]]}));
    run_is(data, "succeeded").await;
    assert_eq!(said(data, &["deadletters", "list"]).output, "no dead letters\n");
    assert_eq!(items(sandbox, "/_/altcraft/workflows/12/entries", &[]).await.len(), 1);

    let again = said(data, &["runs", "replay", id]);
    assert_eq!((again.code, again.output.as_str()), (Some(1), ""), "{again:?}");
    assert!(again.errors.contains("run is succeeded and can't be replayed"), "{again:?}");
    assert_eq!(process.terminate().code, Some(0));
}

#[tokio::test]
async fn events_are_published_and_watched() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let (process, ready) = start(data);
    let token = run(&["user", "token", "--email", "demo@example.com", "--data-dir", data.to_str().unwrap()]).output;
    let instance = ["--url", ready["demo"]["url"].as_str().unwrap(), "--token", token.trim(), "--json"];
    let authorization = format!("Bearer {}", token.trim());
    let listening = json!({
        "name": "By event", "trigger": {"operation": "event.received", "parameters": {"type": "com.acme.*"}},
        "steps": [{"key": "import", "operation": "altcraft.import_profile", "connection_id": 2,
            "input": {"db_id": 7, "email": "{{ trigger.email }}", "data": {"_fname": "{{ trigger_meta.subject }}"}}}],
    });
    let headers = [("authorization", authorization.as_str()), JSON];
    let public = address(&ready, "listen");
    let made = http::call(public, "POST", "/v1/automations", &headers, listening.to_string().as_bytes()).await.unwrap();
    let path = format!("/v1/automations/{}/publish", made.json()["id"].as_str().unwrap());
    let published = http::call(public, "POST", &path, &headers, b"{}").await.unwrap();
    assert_eq!((published.status, &published.json()["trigger"]["hook_url"]), (200, &Value::Null), "{published:?}");

    let (tail, lines) = Process::watch(command(&[&["events", "tail"], &instance[..]].concat()));
    let first = ["events", "publish", "--type", "com.acme.customer.created", "--subject", "Ann", "--id", "7"];
    let publish = || run_with_input(&[&first[..], &instance[..]].concat(), r#"{"email":"ann@shop.test"}"#);
    // It is watched from some moment on: the same event again is no second one.
    let seen = wait_for("the event", PATIENCE, async || {
        let answer: Value = serde_json::from_str(&publish().output).unwrap();
        assert_eq!(answer["events"], json!([{"id": "7", "triggers": 1}]));
        lines.try_recv().ok()
    })
    .await;
    let seen: Value = serde_json::from_str(&seen).unwrap();
    assert_eq!((&seen["event_id"], &seen["trigger"]), (&json!("7"), &json!({"email": "ann@shop.test"})));
    let run = run_is(data, "succeeded").await;
    assert_eq!((&run["event_id"], &run["steps"][0]["input"]["data"]["_fname"]), (&json!("7"), &json!("Ann")));

    let list = json!([{"specversion": "1.0", "id": "8", "source": "s", "type": "org.other"}]).to_string();
    let unwanted = run_with_input(&[&["events", "publish"], &instance[..4]].concat(), &list);
    assert_eq!((unwanted.code, unwanted.output.as_str()), (Some(0), "8 accepted; no automation wants it\n"));
    let wrong = run_with_input(&["events", "publish", "--url", instance[1], "--token", "nobody"], &list);
    assert!(wrong.code == Some(1) && wrong.errors.contains("token"), "{wrong:?}");
    for input in ["", "{", "7", "{}"] {
        let refused = run_with_input(&[&["events", "publish"], &instance[..]].concat(), input);
        assert_eq!(refused.code, Some(2), "{input}: {refused:?}");
    }
    assert_eq!(tail.terminate().code, Some(0));
    assert_eq!(process.terminate().code, Some(0));
}

#[test]
fn what_is_not_there_is_said_and_nothing_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let nowhere = said(&data, &["runs", "list"]);
    assert_eq!(nowhere.code, Some(1), "{nowhere:?}");
    assert!(nowhere.errors.contains("there is no database") && nowhere.errors.contains("hint: "), "{nowhere:?}");
    assert!(!data.exists());

    let made = run(&["user", "create", "--email", "ann@shop.test", "--data-dir", data.to_str().unwrap()]);
    assert_eq!(made.code, Some(0), "{made:?}");
    let unknown = "01890a5d-ac96-774b-bcce-b302099a8057";
    for (words, reason) in [
        (["runs", "show", unknown], "does not exist"),
        (["runs", "cancel", unknown], "does not exist"),
        (["deadletters", "show", "7"], "dead letter 7 does not exist"),
        (["deadletters", "drop", "7"], "dead letter 7"),
    ] {
        let ended = said(&data, &words);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.errors.contains(reason), "{words:?} {ended:?}");
    }
    for words in
        [&["runs", "show", "seven"][..], &["runs", "list", "--status", "odd"], &["runs", "list", "--limit", "0"]]
    {
        assert_eq!(said(&data, words).code, Some(2), "{words:?}");
    }
}

#[test]
fn shells_get_their_completions() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ended = run(&["completions", shell]);
        assert!(ended.code == Some(0) && ended.output.contains("deadletters"), "{shell}: {ended:?}");
    }
    assert_eq!(run(&["completions", "tcsh"]).code, Some(2));
}

#[test]
fn the_configuration_is_printed_as_json_too() {
    let reference: Value = serde_json::from_str(&run(&["config", "reference", "--json"]).output).unwrap();
    assert!(reference["retention"]["runs_days"].is_i64(), "{reference}");
    let effective: Value = serde_json::from_str(&run(&["config", "print", "--json"]).output).unwrap();
    assert_eq!(effective["retention"], reference["retention"]);
}
