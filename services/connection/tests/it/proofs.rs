//! Tests of connections against partners on this machine.

use std::net::TcpListener;

use patchbay_proto::connection::v1::{
    ConnectionRequest, CreateConnectionRequest, DeleteConnectionRequest, TestConnectionResponse,
    UpdateConnectionRequest,
};
use patchbay_testing::wait_for;
use patchbay_types::fault::{Code, Fault};
use serde_json::json;

use crate::{
    house::{House, TOKEN, answered},
    partner::{PATIENCE, Partner},
};

const JSON: &str = "application/json";

impl House {
    async fn test(&mut self, workspace_id: i64, id: i64) -> Result<TestConnectionResponse, Fault> {
        answered(self.public.test(ConnectionRequest { workspace_id, id }).await)
    }

    async fn connect(&mut self, host: &str) -> i64 {
        self.create(1, &json!({"host": host, "token": TOKEN})).await.unwrap().id
    }

    async fn status(&mut self, id: i64) -> String {
        self.get(1, id).await.unwrap().status
    }
}

/// Tests a new connection to this host. Its status afterwards is the last.
async fn tested(host: &str) -> (TestConnectionResponse, String) {
    let mut house = House::start().await;
    let id = house.connect(host).await;
    let before = house.ground.clock.now().as_micros();
    let tested = house.test(1, id).await.unwrap();
    let after = house.ground.clock.now().as_micros();
    assert!((before..=after).contains(&tested.tested_at), "{tested:?}");
    assert!((0..=after - before).contains(&tested.duration), "{tested:?}");
    let status = house.status(id).await;
    (tested, status)
}

/// What a test of a connection to this host gives when nothing answers.
async fn unanswered(host: &str) -> (String, String) {
    let (tested, status) = tested(host).await;
    assert_eq!((tested.partner_status, tested.partner_answer.as_str(), status.as_str()), (None, "", "active"));
    (tested.result, tested.message)
}

#[tokio::test]
async fn a_partner_that_takes_the_credential_is_ok() {
    let partner = Partner::answering(200, JSON, r#"{"me":"Anna"}"#);
    let (tested, status) = tested(&partner.host()).await;
    let expected = TestConnectionResponse {
        result: "ok".to_owned(),
        message: "Mail takes the connection's credential".to_owned(),
        partner_status: Some(200),
        partner_answer: r#"{"me":"Anna"}"#.to_owned(),
        ..tested
    };
    assert_eq!((tested, status.as_str()), (expected, "active"));
    let seen = partner.seen();
    assert!(seen[0].starts_with("GET /me HTTP/1.1\r\n"), "{seen:?}");
    assert!(seen[0].contains(&format!("authorization: Bearer {TOKEN}\r\n")), "{seen:?}");
}

#[tokio::test]
async fn a_refused_credential_is_rejected_and_marks_the_connection() {
    for (status, body) in [(401, "{}"), (400, r#"{"error":"revoked","text":"token was revoked"}"#)] {
        let partner = Partner::answering(status, JSON, body);
        let (tested, after) = tested(&partner.host()).await;
        assert_eq!((tested.result.as_str(), after.as_str()), ("rejected", "needs_reauthorization"), "{tested:?}");
        assert!(tested.message.starts_with("Mail refused the credential: "), "{tested:?}");
        assert!(tested.message.ends_with("; give the connection a new one"), "{tested:?}");
    }
}

#[tokio::test]
async fn a_credential_without_the_right_is_forbidden_and_changes_nothing() {
    for (status, body) in [(403, "{}"), (400, r#"{"error":"no right","text":"ask your boss"}"#)] {
        let partner = Partner::answering(status, JSON, body);
        let (tested, after) = tested(&partner.host()).await;
        assert_eq!((tested.result.as_str(), after.as_str()), ("forbidden", "active"), "{tested:?}");
        assert_eq!((tested.partner_status, tested.partner_answer.as_str()), (Some(u32::from(status)), body));
    }
}

#[tokio::test]
async fn a_partner_that_fails_or_wants_fewer_calls_is_unreachable() {
    let partner = Partner::answering(200, JSON, "");
    for (status, headers, words) in [
        (500, "", "fails now"),
        (502, "content-type: text/html\r\n", "fails now"),
        (503, "", "fails now"),
        (501, "", "fails now"),
        (
            429,
            "retry-after: 7\r\n",
            "wants fewer calls now: the partner answered 429: too many calls; test again in 7 s",
        ),
    ] {
        partner.set(status, headers, "<html>");
        let (tested, after) = tested(&partner.host()).await;
        assert_eq!((tested.result.as_str(), after.as_str()), ("unreachable", "active"), "{tested:?}");
        assert_eq!(tested.partner_status, Some(u32::from(status)));
        assert!(tested.message.contains(words), "{tested:?}");
    }
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_unreachable() {
    let message =
        "the name of no-such-host.invalid:443 can't be resolved; check the connection's host for a slip".to_owned();
    assert_eq!(unanswered("no-such-host.invalid").await, ("unreachable".to_owned(), message));
}

#[tokio::test]
async fn a_closed_port_is_unreachable() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (result, message) = unanswered(&format!("http://127.0.0.1:{port}")).await;
    assert_eq!(result, "unreachable");
    assert!(message.starts_with(&format!("127.0.0.1:{port} takes no connection (")), "{message}");
    assert!(message.contains("; check host and port"), "{message}");
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_unreachable() {
    let partner = Partner::unknown();
    let (result, message) = unanswered(&format!("https://127.0.0.1:{}", partner.port())).await;
    assert_eq!(result, "unreachable");
    let start = format!("no secure connection to 127.0.0.1:{} came about: ", partner.port());
    assert!(message.starts_with(&start) && message.contains("its certificate is not trusted"), "{message}");
}

#[tokio::test]
async fn a_slow_partner_is_unreachable_after_the_deadline() {
    let partner = Partner::silent();
    let message =
        format!("127.0.0.1:{} gave no complete answer within 2s; test again later, or ask Mail", partner.port());
    assert_eq!(unanswered(&partner.host()).await, ("unreachable".to_owned(), message));
}

#[tokio::test]
async fn a_partner_that_hangs_up_is_unreachable() {
    let partner = Partner::rude();
    let (result, message) = unanswered(&partner.host()).await;
    assert_eq!(result, "unreachable");
    assert!(message.contains("broke the connection off"), "{message}");
}

#[tokio::test]
async fn a_place_where_no_call_may_go_is_misconfigured() {
    for (host, reason) in [
        ("http://10.1.2.3", "address 10.1.2.3 of host 10.1.2.3 is private; allow it with egress.allow_private"),
        (
            "http://169.254.169.254",
            "address 169.254.169.254 of host 169.254.169.254 serves cloud metadata and is never allowed",
        ),
    ] {
        let message = format!("the connection leads to where no call may go: {reason}");
        assert_eq!(unanswered(host).await, ("misconfigured".to_owned(), message));
    }
}

#[tokio::test]
async fn what_is_not_the_api_is_misconfigured() {
    let partner = Partner::answering(200, JSON, "");
    let port = partner.port();
    let missing = format!("127.0.0.1:{port} %, so the API of Mail is not there; check the connection's host");
    for (status, headers, body, what) in [
        (200, "content-type: Text/HTML; charset=utf-8\r\n", "Welcome", "answered with a web page"),
        (200, "", " <!DOCTYPE html><html>", "answered with a web page"),
        (404, "content-type: application/json\r\n", "{}", "answered 404"),
        (405, "", "", "answered 405"),
        (
            302,
            "location: https://login.example.com/start?from=hush\r\n",
            "",
            "sends the call on to login.example.com:443",
        ),
        (301, "location: /login\r\n", "", "answered 301 and sends the call on"),
    ] {
        partner.set(status, headers, body);
        let (tested, after) = tested(&partner.host()).await;
        assert_eq!((tested.result.as_str(), after.as_str()), ("misconfigured", "active"), "{tested:?}");
        assert_eq!(tested.message, missing.replace('%', what));
        assert_eq!(tested.partner_status, Some(u32::from(status)));
    }
    partner.set(422, "", "{}");
    let (tested, _) = tested(&partner.host()).await;
    assert_eq!(tested.result, "misconfigured");
}

#[tokio::test]
async fn what_is_not_http_is_misconfigured() {
    let partner = Partner::answering(200, JSON, "");
    partner.set(200, "content-encoding: br\r\n", "bytes");
    let (result, message) = unanswered(&partner.host()).await;
    assert_eq!(result, "misconfigured");
    assert!(message.contains("content encoding `br`"), "{message}");
}

#[tokio::test]
async fn a_damaged_secret_needs_reauthorization_and_calls_nobody() {
    let partner = Partner::answering(200, JSON, "{}");
    let mut house = House::start().await;
    let id = house.connect(&partner.host()).await;
    house.execute("UPDATE connection_secrets SET sealed = substr(sealed, 1, length(sealed) - 1)").await;

    for _ in 0..2 {
        let tested = house.test(1, id).await.unwrap();
        assert_eq!(tested.result, "needs_reauthorization");
        assert_eq!(tested.message, "the stored credential can't be read; give the connection its credential again");
        assert_eq!(house.status(id).await, "needs_reauthorization");
    }
    assert_eq!(partner.seen(), [""; 0]);
}

#[tokio::test]
async fn a_credential_that_works_again_makes_the_connection_active() {
    let partner = Partner::answering(401, JSON, "{}");
    let mut house = House::start().await;
    let id = house.connect(&partner.host()).await;
    house.test(1, id).await.unwrap();
    assert_eq!(house.test(1, id).await.unwrap().result, "rejected");
    assert_eq!(house.status(id).await, "needs_reauthorization");

    partner.set(200, "", "{}");
    assert_eq!(house.test(1, id).await.unwrap().result, "ok");

    assert_eq!(house.status(id).await, "active");
    assert_eq!(house.issue(id).await.unwrap().revision, 3);
}

#[tokio::test]
async fn a_connection_that_changed_meanwhile_is_left_alone() {
    for (status, before) in [(401, "active"), (200, "needs_reauthorization")] {
        let (partner, go_on) = Partner::held();
        partner.set(status, "", "{}");
        let mut house = House::start().await;
        let id = house.connect(&partner.host()).await;
        if before != "active" {
            house.execute("UPDATE connection_connections SET status = 'needs_reauthorization'").await;
        }
        let mut client = house.public.clone();
        let change = async {
            wait_for("a request", PATIENCE, async || partner.seen().pop()).await;
            let renamed = UpdateConnectionRequest {
                workspace_id: 1,
                id,
                title: Some("Other".to_owned()),
                fields: bytes::Bytes::new(),
                concurrency: None,
            };
            let renamed = answered(house.public.update(renamed).await).unwrap();
            go_on.send(()).unwrap();
            renamed
        };
        let (tested, renamed) = tokio::join!(client.test(ConnectionRequest { workspace_id: 1, id }), change);
        assert_eq!(tested.unwrap().into_inner().result, if status == 200 { "ok" } else { "rejected" });
        assert_eq!((house.get(1, id).await.unwrap(), renamed.status.as_str()), (renamed.clone(), before));
    }
}

#[tokio::test]
async fn a_disconnected_connection_can_be_tested_and_stays_off() {
    let partner = Partner::answering(200, JSON, "{}");
    let mut house = House::start().await;
    let id = house.connect(&partner.host()).await;
    let off = answered(house.public.disconnect(ConnectionRequest { workspace_id: 1, id }).await).unwrap();
    for (status, result) in [(200, "ok"), (401, "rejected")] {
        partner.set(status, "", "{}");
        assert_eq!(house.test(1, id).await.unwrap().result, result);
        assert_eq!(house.get(1, id).await.unwrap(), off);
    }
}

#[tokio::test]
async fn no_secret_is_repeated() {
    let secret = r#"pa"ss\word-ü"#;
    let written = serde_json::to_string(secret).unwrap();
    let partner = Partner::answering(200, JSON, &format!(r#"{{"json":{written},"plain":"{TOKEN}"}}"#));
    let mut house = House::start().await;
    let fields = json!({"host": partner.host(), "token": TOKEN, "second": secret});
    let id = house.create(1, &fields).await.unwrap().id;
    let covered = r#"{"json":"***","plain":"***"}"#;
    assert_eq!(house.test(1, id).await.unwrap().partner_answer, covered);

    partner.set(400, "", &format!(r#"{{"error":"no right","text":"{TOKEN} is no token"}}"#));
    let tested = house.test(1, id).await.unwrap();
    assert!(!tested.message.contains(TOKEN) && tested.message.contains("*** is no token"), "{tested:?}");

    // A secret at the place where the excerpt ends.
    for before in 980..1_000 {
        partner.set(200, "", &format!("{}{TOKEN}{}", "ä".repeat(before), "z".repeat(9_000)));
        let answer = house.test(1, id).await.unwrap().partner_answer;
        assert!(answer.chars().count() <= 1_000 && !answer.contains("cor"), "{before}: {answer}");
    }
}

#[tokio::test]
async fn a_test_renames_nothing() {
    let partner = Partner::answering(200, JSON, r#"{"name":"Main"}"#);
    let mut house = House::start().await;
    let created = house.create(1, &json!({"host": partner.host(), "token": TOKEN})).await.unwrap();
    house.test(1, created.id).await.unwrap();
    assert_eq!(house.get(1, created.id).await.unwrap(), created);
}

#[tokio::test]
async fn a_connector_without_a_test_is_told() {
    let mut house = House::start().await;
    let request = CreateConnectionRequest {
        workspace_id: 1,
        partner: "plain".to_owned(),
        title: String::new(),
        fields: bytes::Bytes::new(),
        concurrency: None,
    };
    let id = answered(house.public.create(request).await).unwrap().id;
    let fault = house.test(1, id).await.unwrap_err();
    assert_eq!(fault.code, Code::FailedPrecondition);
    assert!(fault.message.starts_with("the connector of Plain has no test"), "{fault}");

    house.execute("UPDATE connection_connections SET partner = 'gone'").await;
    let fault = house.test(1, id).await.unwrap_err();
    assert_eq!(fault.code, Code::FailedPrecondition);
    assert!(fault.message.contains("`gone`"), "{fault}");
}

#[tokio::test]
async fn strangers_test_nothing() {
    let partner = Partner::answering(200, JSON, "{}");
    let mut house = House::start().await;
    let id = house.connect(&partner.host()).await;
    for workspace in [2, 0, -1] {
        assert_eq!(house.test(workspace, id).await.unwrap_err().code, Code::NotFound);
    }
    answered(house.public.delete(DeleteConnectionRequest { workspace_id: 1, id }).await).unwrap();
    assert_eq!(house.test(1, id).await.unwrap_err().code, Code::NotFound);
    assert_eq!(partner.seen(), [""; 0]);
}
