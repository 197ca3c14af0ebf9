//! What `up --demo` prints can be done.

use std::path::Path;

use patchbay_testing::{http, wait_for};
use serde_json::{Value, json};

use crate::process::{PATIENCE, Process, address, command, run, up};

pub(crate) const JSON: (&str, &str) = ("content-type", "application/json");

pub(crate) fn start(data: &Path) -> (Process, Value) {
    Process::start(command(&up(data, &["--demo", "--sandbox-listen", "127.0.0.1:0"])))
}

/// Sends what a printed `curl` line says.
pub(crate) async fn send(ready: &Value, name: &str) -> http::Answer {
    let line = ready["demo"][name].as_str().unwrap();
    let url = line.split_whitespace().find_map(|word| word.strip_prefix("http://")).unwrap();
    let (address, path) = url.split_at(url.find('/').unwrap());
    let headers: Vec<_> =
        line.split("-H '").skip(1).filter_map(|rest| rest.split_once('\'')?.0.split_once(": ")).collect();
    let body = line.split_once("-d '").unwrap().1.trim_end_matches('\'');
    http::call(address, "POST", path, &headers, body.as_bytes()).await.unwrap()
}

pub(crate) async fn items(address: &str, path: &str, headers: &[(&str, &str)]) -> Vec<Value> {
    let answer = http::call(address, "GET", path, headers, b"").await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn the_printed_line_makes_a_profile_and_launches_the_scenario() {
    let folder = tempfile::tempdir().unwrap();
    let (process, ready) = start(folder.path());
    let (public, sandbox) = (address(&ready, "listen"), address(&ready, "sandbox_listen"));

    let contact = send(&ready, "fire").await;
    assert_eq!((contact.status, &contact.json()["email"]), (201, &json!("ann@shop.test")));

    let profile =
        wait_for("the profile", PATIENCE, async || items(sandbox, "/_/altcraft/profiles?db_id=7", &[]).await.pop());
    let profile = profile.await;
    assert_eq!((&profile["_fname"], &profile["email"]), (&json!("Ann"), &json!("ann@shop.test")));
    let entry =
        wait_for("the entry", PATIENCE, async || items(sandbox, "/_/altcraft/workflows/12/entries", &[]).await.pop());
    assert_eq!(entry.await["email"], "ann@shop.test");

    let login = send(&ready, "token").await.json();
    let authorization = format!("Bearer {}", login["data"]["authToken"].as_str().unwrap());
    let run = wait_for("the run", PATIENCE, async || {
        let runs = items(public, "/v1/runs", &[("authorization", &authorization)]).await;
        runs.into_iter().find(|run| run["status"] == "succeeded")
    });
    let run = run.await;
    assert_eq!(run["event_id"], contact.json()["id"]);
    let step = run["steps"][0].clone();
    assert_eq!((&step["key"], &step["status"], &step["attempts"]), (&json!("launch"), &json!("succeeded"), &json!(1)));
    assert_eq!(step["input"]["data"]["_fname"], "Ann", "{step}");
    assert_eq!(step["output"]["profile_id"], profile["id"], "{step}");
    let ended = process.terminate();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!ended.errors.contains("sandbox-altcraft-token"), "{ended:?}");
}

#[tokio::test]
async fn the_printed_hook_takes_any_json_and_starts_the_second_automation() {
    let folder = tempfile::tempdir().unwrap();
    let (process, ready) = start(folder.path());
    let accepted = send(&ready, "fire_webhook").await;
    assert_eq!((accepted.status, accepted.body.as_str()), (200, "OK"));
    let sandbox = address(&ready, "sandbox_listen");
    let entry =
        wait_for("the entry", PATIENCE, async || items(sandbox, "/_/altcraft/workflows/12/entries", &[]).await.pop());
    assert_eq!(entry.await["email"], "bob@shop.test");
    assert_eq!(process.terminate().code, Some(0));
}

#[tokio::test]
async fn a_second_start_uses_what_the_first_has_made() {
    let folder = tempfile::tempdir().unwrap();
    let token = |ready: &Value| ready["demo"]["hook_url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let (first, ready) = start(folder.path());
    let first_token = token(&ready);
    assert_eq!(first.terminate().code, Some(0));

    let (second, ready) = start(folder.path());
    assert_eq!(token(&ready), first_token);
    let sandbox = address(&ready, "sandbox_listen");
    assert_eq!(send(&ready, "fire").await.status, 201);
    let profile = wait_for("the profile in the second sandbox", PATIENCE, async || {
        items(sandbox, "/_/altcraft/profiles?db_id=7", &[]).await.pop()
    });
    assert_eq!(profile.await["_fname"], "Ann");
    assert_eq!(second.terminate().code, Some(0));
}

#[test]
fn a_demo_listens_on_loopback_only() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    for flag in ["--listen", "--grpc-listen", "--admin-listen", "--sandbox-listen"] {
        let ended = run(&["up", "--demo", "--data-dir", data.to_str().unwrap(), flag, "0.0.0.0:0"]);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.errors.contains(flag) && ended.errors.contains("loopback"), "{ended:?}");
    }
    assert!(!data.exists());
}
