//! How much memory large bodies take. Measured over the whole process, so each case runs alone:
//! `cargo test -p patchbay-webhook-ingress -- --ignored memory --test-threads 1`, best one case at a time.

use std::{fs, sync::Arc};

use axum::http::StatusCode;
use tokio::task::JoinSet;

use crate::house::House;

const BODY: usize = 10 * 1024 * 1024 - 1024;
const AT_ONCE: usize = 6;

/// A list of the smallest objects, which takes the most room once it is parsed.
fn tiny_objects() -> String {
    format!("[{}{{}}]", r#"{"a":1},"#.repeat(BODY / 8))
}

/// The most memory that the process ever had, in MiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

#[expect(clippy::print_stdout, reason = "the figure is what this is for")]
fn say(risen: u64) {
    println!("the peak rose by {risen} MiB");
}

/// Sends the body several times at once; every answer must be this one. Returns by how many MiB the peak rose.
async fn rise(parameters: &str, body: String, expected: StatusCode) -> u64 {
    let house = Arc::new(House::new().await);
    let (_, token) = house.peers.publish(parameters);
    house.event(&token, r#"[{"id":1,"a":1}]"#).await;
    let before = peak();
    let mut sending = JoinSet::new();
    for number in 0..AT_ONCE {
        let (house, token) = (Arc::clone(&house), token.clone());
        // Other bodies, so that each is an event of its own.
        let body = format!("{}{body}", " ".repeat(number));
        sending.spawn(async move { house.post(&token, &body).await.status });
    }
    let statuses = sending.join_all().await;
    let risen = peak() - before;
    assert_eq!(statuses, [expected; AT_ONCE]);
    say(risen);
    risen
}

#[tokio::test]
#[ignore = "measures the whole process"]
async fn large_bodies_of_tiny_objects_take_little_more_than_their_text() {
    assert!(rise("{}", tiny_objects(), StatusCode::OK).await < 400);
}

#[tokio::test]
#[ignore = "measures the whole process"]
async fn what_becomes_too_many_values_is_refused() {
    let house_takes = r#"{"dedupe":"trigger[0].a ~ ''"}"#;
    assert!(rise(house_takes, tiny_objects(), StatusCode::PAYLOAD_TOO_LARGE).await < 200);
}

#[tokio::test]
#[ignore = "measures the whole process"]
async fn bodies_that_become_values_wait_for_room() {
    let record = r#"{"id":12345,"email":"someone@example.com","name":"Some One","tags":["a","b"],"total":12.5},"#;
    let body = format!("[{}{{}}]", record.repeat(BODY / record.len() / 2));
    assert!(rise(r#"{"dedupe":"trigger[0].id"}"#, body, StatusCode::OK).await < 700);
}
