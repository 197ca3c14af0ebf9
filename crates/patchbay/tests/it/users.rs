//! The commands `user`, before and beside a running process.

use patchbay_testing::http;
use serde_json::{Value, json};

use crate::process::{Process, address, command, run, run_with_input, up};

const JSON: (&str, &str) = ("content-type", "application/json");

async fn log_in(address: &str, email: &str, password: &str) -> http::Answer {
    let login = json!({ "email": email, "password": password }).to_string();
    http::call(address, "POST", "/user/auth", &[JSON], login.as_bytes()).await.unwrap()
}

#[tokio::test]
async fn a_user_made_before_the_start_logs_in() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let arguments = ["user", "create", "--email", "Ann@shop.test", "--json", "--data-dir", data.to_str().unwrap()];
    let made = run(&arguments);
    assert_eq!(made.code, Some(0), "{made:?}");
    let made: Value = serde_json::from_str(&made.output).unwrap();

    let (process, ready) = Process::start(command(&up(&data, &[])));
    let answer = log_in(address(&ready, "listen"), "ann@shop.test", made["password"].as_str().unwrap()).await;
    assert_eq!(answer.json()["success"], true, "{answer:?}");
    assert_eq!(process.terminate().code, Some(0));
}

#[tokio::test]
async fn a_user_made_beside_a_running_process_logs_in_and_gets_a_token() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let (process, ready) = Process::start(command(&up(folder.path(), &[])));

    let create = ["user", "create", "--email", "ann@shop.test", "--password-stdin", "--data-dir", data];
    let made = run_with_input(&create, "correct horse\n");
    assert_eq!(made.code, Some(0), "{made:?}");
    assert!(!made.output.contains("correct horse"), "{made:?}");
    let answer = log_in(address(&ready, "listen"), "ann@shop.test", "correct horse").await;
    assert_eq!(answer.json()["success"], true, "{answer:?}");

    let token = run(&["user", "token", "--email", "ann@shop.test", "--data-dir", data]);
    assert_eq!(token.code, Some(0), "{token:?}");
    let authorization = format!("Bearer {}", token.output.trim());
    let headers = [("authorization", authorization.as_str())];
    let runs = http::call(address(&ready, "listen"), "GET", "/v1/runs", &headers, b"").await.unwrap();
    assert_eq!((runs.status, &runs.json()["items"]), (200, &json!([])));
    assert_eq!(process.terminate().code, Some(0));
}

#[test]
fn an_email_is_taken_once() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    assert_eq!(run(&["user", "create", "--email", "ann@shop.test", "--data-dir", data]).code, Some(0));
    let again = run(&["user", "create", "--email", "ANN@shop.test", "--data-dir", data]);
    assert_eq!(again.code, Some(1), "{again:?}");
    assert_eq!(again.errors, "error: there is a user with the email ann@shop.test already\n");
}

#[test]
fn what_is_no_email_or_too_short_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data_name = data.to_str().unwrap();
    let email = run(&["user", "create", "--email", "ann", "--data-dir", data_name]);
    let create = ["user", "create", "--email", "ann@shop.test", "--password-stdin", "--data-dir", data_name];
    let password = run_with_input(&create, "1234567\n");
    assert_eq!((email.code, password.code), (Some(2), Some(2)), "{email:?} {password:?}");
    assert!(password.errors.contains("8 characters") && !password.errors.contains("1234567"), "{password:?}");
    assert!(!data.exists());
}

#[test]
fn a_token_needs_a_database_and_its_user() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let arguments = ["user", "token", "--email", "bob@shop.test", "--data-dir", data.to_str().unwrap()];
    let missing = run(&arguments);
    assert_eq!(missing.code, Some(1), "{missing:?}");
    assert!(missing.errors.contains("hint: ") && !data.exists(), "{missing:?}");

    assert_eq!(
        run(&["user", "create", "--email", "ann@shop.test", "--data-dir", data.to_str().unwrap()]).code,
        Some(0)
    );
    let unknown = run(&arguments);
    assert_eq!(unknown.code, Some(1), "{unknown:?}");
    assert!(unknown.errors.contains("bob@shop.test"), "{unknown:?}");
}
