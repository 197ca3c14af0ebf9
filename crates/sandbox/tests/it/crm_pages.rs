use serde_json::{Value, json};

use crate::crm_support::ids;
use crate::support::Server;

async fn list(server: &Server, query: &str) -> Value {
    let reply = server.crm(&format!("GET /crm/contacts{query}"), &Value::Null).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()
}

async fn create(server: &Server, times: &[&str]) {
    for time in times {
        server.create_contact(&json!({ "email": "a@b", "updated_at": time })).await;
    }
}

#[tokio::test]
async fn pages_through_equal_timestamps_in_one_order() {
    let server = Server::start().await;
    create(&server, &["2026-03-01T00:00:00Z"]).await;
    create(&server, &["2026-02-01T00:00:00Z"; 5]).await;
    create(&server, &["2026-01-01T00:00:00Z"]).await;

    let mut seen = Vec::new();
    for page in 1..=4 {
        let listed = list(&server, &format!("?page={page}&per_page=2")).await;
        assert_eq!((&listed["page"], &listed["per_page"], &listed["total"]), (&json!(page), &json!(2), &json!(7)));
        seen.extend(ids(&listed).into_iter().map(str::to_owned));
    }
    assert_eq!(seen, ["1007", "1002", "1003", "1004", "1005", "1006", "1001"]);
}

#[tokio::test]
async fn begins_with_contacts_that_changed_at_the_given_time() {
    let server = Server::start().await;
    create(&server, &["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000001Z", "2026-01-02T00:00:00Z"]).await;

    for (query, expected) in [
        ("?updated_since=2026-01-01T00:00:00Z", vec!["1001", "1002", "1003"]),
        ("?updated_since=2026-01-01T00:00:00.000001Z", vec!["1002", "1003"]),
        ("?updated_since=2026-01-02T03:00:00%2B03:00&page=1&per_page=100", vec!["1003"]),
        ("?updated_since=2026-01-02T00:00:00.1Z", vec![]),
    ] {
        let listed = list(&server, query).await;
        assert_eq!(
            (ids(&listed), listed["total"].as_u64()),
            (expected.clone(), Some(expected.len() as u64)),
            "{query}"
        );
    }
}

#[tokio::test]
async fn moves_a_changed_contact_to_its_new_place() {
    let server = Server::start().await;
    create(&server, &["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"]).await;
    server.crm("PATCH /crm/contacts/1001", &json!({ "updated_at": "2026-01-03T00:00:00Z" })).await;
    assert_eq!(ids(&list(&server, "").await), ["1002", "1001"]);
    assert_eq!(ids(&list(&server, "?updated_since=2026-01-02T12:00:00Z").await), ["1001"]);
}

#[tokio::test]
async fn gives_pages_of_fifty_unless_asked_and_empty_ones_behind_the_last() {
    let server = Server::start().await;
    create(&server, &["2026-01-01T00:00:00Z"; 51]).await;
    let pages = [list(&server, "?updated_since=&page=").await, list(&server, "?page=2").await];
    let sizes = pages.map(|page| (ids(&page).len(), page["per_page"].as_u64()));
    assert_eq!(sizes, [(50, Some(50)), (1, Some(50))]);

    let beyond = list(&server, &format!("?page={}", u64::MAX)).await;
    assert_eq!((ids(&beyond).len(), &beyond["total"]), (0, &json!(51)));
}
