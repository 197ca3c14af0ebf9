//! The Altcraft connector against the answers that Altcraft is known to give.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use patchbay_connector::{Action, Catalog, ErrorClass, Failure, Outcome, builtin};
use patchbay_egress::{Request, Response};
use patchbay_flow::expression::{Value, from_json_value, to_json_value};
use serde_json::{Value as Json, json};

const LAUNCH: &str = "altcraft.import_and_launch_scenario";
const IMPORT: &str = "altcraft.import_profile";

fn catalog() -> Catalog {
    builtin().unwrap()
}

fn connection(host: &str) -> Value {
    from_json_value(&json!({"host": host, "token": "hush-0f3c"}))
}

fn request(operation: &str, host: &str, input: Json) -> Request {
    let catalog = catalog();
    let (_, operation) = catalog.operation(operation).unwrap();
    let input = operation.coerce(from_json_value(&input)).unwrap();
    operation.request(&connection(host), &input, "run-1/launch/0/1").unwrap()
}

fn answer(status: u16, headers: &[(&'static str, &str)], body: &[u8]) -> Outcome {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, value.parse().unwrap());
    }
    let response = Response { status, headers: map, body: Bytes::copy_from_slice(body) };
    let catalog = catalog();
    let (_, operation) = catalog.operation(LAUNCH).unwrap();
    operation.interpret(&connection("ru.altkraft.com"), &Value::from_pairs::<_, &str, Value>([]), Ok(&response))
}

fn failure(status: u16, headers: &[(&'static str, &str)], body: &str) -> Failure {
    match answer(status, headers, body.as_bytes()) {
        Outcome::Failed(failure) => failure,
        succeeded => panic!("{succeeded:?}"),
    }
}

#[test]
fn describes_itself() {
    let catalog = catalog();
    let (connector, launch) = catalog.operation(LAUNCH).unwrap();
    let (_, import) = catalog.operation(IMPORT).unwrap();
    assert_eq!((connector.partner().key.as_str(), connector.partner().id), ("altcraft", 225));
    assert_eq!(connector.secret_fields(), ["token"]);
    assert_eq!(connector.budget_concurrency(), Some(64));
    assert_eq!((launch.id(), launch.safe_to_repeat()), (22_500_003, false));
    assert_eq!((import.id(), import.safe_to_repeat()), (22_500_001, true));
    assert_eq!((import.idempotency_header(), import.timeout()), (None, Duration::from_secs(10)));
}

#[test]
fn builds_the_launch() {
    let input = json!({
        "db_id": "7", "workflow_id": 12, "email": "ann@shop.test", "data": {"_fname": "Ann"},
        "content": {"promo": "SPRING"}, "skip_triggers": "true",
    });
    let request = request(LAUNCH, "ru.altkraft.com", input);

    assert_eq!(request.method, http::Method::POST);
    assert_eq!(request.url, "https://ru.altkraft.com/api/v1.1/workflows/import_and_start");
    assert_eq!(request.headers["authorization"], "Bearer hush-0f3c");
    assert!(request.headers["authorization"].is_sensitive());
    assert_eq!(request.headers["content-type"], "application/json");
    assert_eq!(request.timeout, Duration::from_secs(10));
    let body: Json = serde_json::from_slice(&request.body).unwrap();
    let expected = json!({
        "db_id": 7, "workflow_id": 12, "matching": "email", "email": "ann@shop.test", "data": {"_fname": "Ann"},
        "content": {"promo": "SPRING"}, "skip_triggers": true, "skip_invalid_subscriptions": false, "detect_geo": false,
    });
    assert_eq!(body, expected);
}

#[test]
fn a_host_may_carry_scheme_and_port() {
    for (host, base) in [
        ("http://127.0.0.1:8090", "http://127.0.0.1:8090"),
        ("https://crm.shop.test", "https://crm.shop.test"),
        ("crm.shop.test:8443", "https://crm.shop.test:8443"),
    ] {
        let request = request(IMPORT, host, json!({"db_id": 7, "email": "a@b.test"}));
        assert_eq!(request.url, format!("{base}/api/v1.1/profiles/import"));
    }
}

#[test]
fn sends_what_each_matching_needs_and_nothing_else() {
    let all = json!({
        "db_id": 7, "email": "a@b.test", "phone": "+79001112233", "profile_id": "65f0", "provider": "ios-apns",
        "subscription_id": "tok", "field_name": "CRM_ID", "field_value": 17,
    });
    let cases: [(&str, &[&str]); 11] = [
        ("email", &["email"]),
        ("email_profile", &["email"]),
        ("email_sub", &["email"]),
        ("phone", &["phone"]),
        ("phone_sub", &["phone"]),
        ("profile_id", &["profile_id"]),
        ("push_sub", &["provider", "subscription_id"]),
        ("custom", &["field_name", "field_value"]),
        ("custom_sub", &["field_name", "field_value"]),
        ("email_phone", &["email", "phone"]),
        ("email_phone_sub", &["email", "phone"]),
    ];
    for (matching, fields) in cases {
        let mut input = all.clone();
        input["matching"] = json!(matching);
        let body: Json = serde_json::from_slice(&request(IMPORT, "h.test", input).body).unwrap();
        let mut expected = json!({
            "db_id": 7, "matching": matching, "data": {}, "skip_triggers": false, "skip_invalid_subscriptions": false,
            "detect_geo": false,
        });
        for field in fields {
            expected[*field] = all[*field].clone();
        }
        assert_eq!(body, expected, "{matching}");
    }
}

#[test]
fn refuses_a_matching_without_its_field() {
    let catalog = catalog();
    let (_, operation) = catalog.operation(IMPORT).unwrap();
    for (matching, other, missing) in [
        ("email", "phone", "email"),
        ("phone", "email", "phone"),
        ("profile_id", "email", "profile_id"),
        ("push_sub", "provider", "subscription_id"),
        ("custom", "field_name", "field_value"),
        ("email_phone", "profile_id", "email"),
    ] {
        let input = json!({"db_id": 7, "matching": matching, other: "x"});
        assert_eq!(operation.coerce(from_json_value(&input)).unwrap_err().field, missing, "{matching}");
        assert_eq!(operation.validate_input(&input).unwrap_err()[0].field, missing, "{matching}");
    }
    let phone_only = json!({"db_id": 7, "matching": "email_phone", "phone": "+7"});
    assert!(operation.coerce(from_json_value(&phone_only)).is_ok());
}

#[test]
fn only_error_zero_is_a_success() {
    let body = r#"{"error":0,"error_text":"Successful operation","profile_id":"65f0c0ffee"}"#;
    let Outcome::Succeeded { output } = answer(200, &[], body.as_bytes()) else { panic!("not a success") };
    assert_eq!(to_json_value(&output).unwrap(), json!({"profile_id": "65f0c0ffee"}));
    let Outcome::Succeeded { output } = answer(200, &[], br#"{"error":0,"error_text":""}"#) else {
        panic!("not a success")
    };
    assert_eq!(to_json_value(&output).unwrap(), json!({}));
}

#[test]
fn every_failure_answer_is_understood() {
    use Action::{Fail, Reauthorize, Retry};
    use ErrorClass::{Auth, Configuration, Partner, RateLimit, Timeout, Validation};
    let limited = |seconds: Option<u64>| Action::RateLimited { after: seconds.map(Duration::from_secs) };
    let html = "<html><body>Bad Gateway</body></html>";
    let cases = [
        (200, r#"{"error":400,"error_text":"bad db_id"}"#, Fail, Validation, true, "bad db_id"),
        (200, r#"{"error":401,"error_text":"API token required"}"#, Reauthorize, Auth, true, "API token required"),
        (200, r#"{"error":402,"error_text":"tariff"}"#, Fail, Partner, true, "tariff"),
        (200, r#"{"error":403,"error_text":""}"#, Fail, Auth, true, "the access token has no right to this"),
        (200, r#"{"error":404,"error_text":"no db"}"#, Fail, Partner, true, "no db"),
        (200, r#"{"error":409,"error_text":"two"}"#, Fail, Partner, true, "two"),
        (200, r#"{"error":429,"error_text":"slow down"}"#, limited(None), RateLimit, true, "slow down"),
        (200, r#"{"error":440,"error_text":"??"}"#, Fail, Partner, true, "Altcraft answered 440: ??"),
        (200, r#"{"error":500,"error_text":"oops"}"#, Retry, Partner, true, "Altcraft failed with 500: oops"),
        (200, r#"{"error":"x"}"#, Fail, Partner, true, "Altcraft answered x: "),
        (200, "", Fail, Partner, true, "the partner answered 200, but that is not a success"),
        (200, "OK", Fail, Partner, true, "the partner answered 200, but that is not a success"),
        (200, "[1]", Fail, Partner, true, "the partner answered 200, but that is not a success"),
        (200, html, Fail, Partner, true, "the partner answered 200, but that is not a success"),
        (201, r#"{"error":0}"#, Fail, Partner, true, "the partner answered 201, but that is not a success"),
        (302, "", Fail, Configuration, true, "the partner answered 302, a redirect, which is never followed"),
        (401, "", Reauthorize, Auth, true, "Altcraft does not take the access token"),
        (402, html, Fail, Partner, true, "the limit of the tariff is reached"),
        (403, "no", Fail, Auth, true, "the access token has no right to this"),
        (408, "", Retry, Timeout, true, "the partner answered 408, a timeout"),
        (409, "", Fail, Partner, true, "more than one profile matches"),
        (429, "", limited(None), RateLimit, true, "the partner answered 429: too many calls"),
        (440, "", Fail, Partner, true, "the partner answered 440"),
        (500, html, Retry, Partner, true, "the partner answered 500, a failure of its own"),
        (502, html, Retry, Partner, false, "the partner answered 502, a failure of its own"),
        (503, "", Retry, Partner, true, "the partner answered 503, a failure of its own"),
        (504, "", Retry, Timeout, false, "the partner answered 504, a timeout"),
    ];
    for (status, body, action, class, known, message) in cases {
        let expected = Failure {
            action,
            class,
            message: message.trim_end().to_owned(),
            partner_status: Some(status),
            known,
            excerpt: (!body.is_empty()).then(|| body.to_owned()),
        };
        assert_eq!(failure(status, &[], body), expected, "{status} {body}");
    }
}

#[test]
fn waits_as_long_as_the_partner_asks() {
    let date = ("date", "Wed, 21 Oct 2015 07:28:00 GMT");
    for (headers, expected) in [
        (vec![("retry-after", "17")], Some(17)),
        (vec![("retry-after", "Wed, 21 Oct 2015 07:29:30 GMT"), date], Some(90)),
        (vec![("retry-after", "Wed, 21 Oct 2015 07:20:00 GMT"), date], Some(0)),
        (vec![("retry-after", "Wed, 21 Oct 2015 07:29:30 GMT")], None),
        (vec![("retry-after", "soon")], None),
        (vec![("retry-after", "99999999999")], Some(3_600)),
    ] {
        let action = Action::RateLimited { after: expected.map(Duration::from_secs) };
        assert_eq!(failure(429, &headers, "").action, action, "{headers:?}");
    }
    let closed = failure(503, &[("retry-after", "4")], "");
    assert_eq!(closed.action, Action::RateLimited { after: Some(Duration::from_secs(4)) });
    assert_eq!(closed.class, ErrorClass::Partner);
}

#[test]
fn failures_are_bounded_and_show_no_secret() {
    let text = format!("bad \0token hush-0f3c {}", "я".repeat(100_000));
    let body = serde_json::to_string(&json!({"error": 402, "error_text": text})).unwrap();
    let failure = failure(200, &[], &body);
    assert!(failure.message.starts_with("bad token *** яяя"), "{}", failure.message);
    assert_eq!(failure.message.chars().count(), 500);
    let excerpt = failure.excerpt.unwrap();
    assert_eq!(excerpt.chars().count(), 2_000);
    assert!(!excerpt.contains("hush"));
}

#[test]
fn reads_bytes_that_are_no_text() {
    assert!(matches!(answer(200, &[("x-odd", "a")], &[0xff, 0xfe, 0, b'{']), Outcome::Failed(_)));
    let deep = "[".repeat(100_000);
    assert!(matches!(answer(200, &[], deep.as_bytes()), Outcome::Failed(_)));
}
