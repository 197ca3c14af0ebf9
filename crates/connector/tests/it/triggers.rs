//! Triggers: parameters, verification and events.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use http::HeaderMap;
use patchbay_connector::{Fired, Refused, Trigger, Unread};
use patchbay_flow::expression::Value;
use patchbay_types::Timestamp;
use serde_json::{Value as Json, json};

use crate::support::{headers, json as to_json, shop, trigger, value};

const NOW: i64 = 1_800_000_000;
const BODY: &[u8] = br#"{"events":[]}"#;

fn now() -> Timestamp {
    Timestamp::from_micros(NOW * 1_000_000)
}

fn connection() -> Value {
    value(json!({"name": "ann", "secret": "hush-0f3c", "webhook_secret": "hush-0f3c"}))
}

fn sign(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key).unwrap();
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn verify(trigger: &Trigger, given: &HeaderMap) -> Result<(), Refused> {
    trigger.webhook().unwrap().verify(&connection(), given, BODY, now())
}

/// The headers of a call that the shop signed at this time.
fn signed_at(seconds: i64) -> HeaderMap {
    let time = seconds.to_string();
    let signature = hex(&sign(b"hush-0f3c", &[time.as_bytes(), b".", BODY]));
    headers(&[("x-time", &time), ("x-signature", &format!("sha256={signature}"))])
}

#[test]
fn describes_itself() {
    let shop = shop();
    let told = shop.trigger("told").unwrap();
    assert_eq!((told.name(), told.id(), told.title(), told.modes()), ("shop.told", 3, "Told", vec!["webhook"]));
    assert_eq!((told.partner().key.as_str(), told.fields().len(), told.sample()), ("shop", 1, &json!({"id": 1})));
    let webhook = told.webhook().unwrap();
    assert_eq!((webhook.respond(), webhook.uses_connection()), ((202, "taken"), true));
    assert_eq!(webhook.verification_headers(), ["x-signature"]);
    assert!(shop.operation("told").is_none() && shop.trigger("put").is_none());
    let plain = trigger("{ kind: none }", "");
    assert_eq!((plain.webhook().unwrap().respond(), plain.webhook().unwrap().uses_connection()), ((200, "OK"), false));
}

#[test]
fn parameters_are_constants() {
    let shop = shop();
    let told = shop.trigger("told").unwrap();
    let faults = |given: Json| {
        let faults = told.validate_parameters(&given).err().unwrap_or_default();
        faults.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(faults(json!({})), [""; 0]);
    assert_eq!(faults(json!({"event": "changed"})), [""; 0]);
    assert_eq!(faults(json!({"event": "gone"})), ["event: expected one of `created`, `changed`, found `gone`"]);
    assert_eq!(faults(json!({"evnt": "gone"})), ["evnt: unknown field, did you mean `event`?"]);
    assert_eq!(
        faults(json!({"event": "{{ trigger.x }}"})),
        ["event: a parameter of a trigger is a constant, not a template"]
    );
    let coerced = told.coerce_parameters(value(json!({}))).unwrap();
    assert_eq!(to_json(&coerced), json!({"event": "created"}));
    assert!(told.coerce_parameters(value(json!({"x": 1}))).is_err());
}

#[test]
fn takes_what_the_partner_signed() {
    let shop = shop();
    let told = shop.trigger("told").unwrap();
    for seconds in [NOW, NOW - 300, NOW + 300] {
        assert_eq!(verify(told, &signed_at(seconds)), Ok(()), "{seconds}");
    }
    let mut capital = signed_at(NOW);
    let signature = capital["x-signature"].to_str().unwrap().trim_start_matches("sha256=").to_uppercase();
    capital.insert("x-signature", format!("sha256={signature}").parse().unwrap());
    assert_eq!(verify(told, &capital), Ok(()));
}

#[test]
fn refuses_what_is_not_signed_not_fresh_or_changed() {
    let shop = shop();
    let told = shop.trigger("told").unwrap();
    let without = |name: &str| {
        let mut given = signed_at(NOW);
        given.remove(name);
        given
    };
    let with = |name: &'static str, text: &str| {
        let mut given = signed_at(NOW);
        given.insert(name, text.parse().unwrap());
        given
    };
    let signature = signed_at(NOW)["x-signature"].to_str().unwrap().to_owned();
    assert_eq!(verify(told, &without("x-signature")), Err(Refused::Header("x-signature".parse().unwrap())));
    assert_eq!(verify(told, &without("x-time")), Err(Refused::Header("x-time".parse().unwrap())));
    let time = (NOW + 1).to_string();
    for given in [
        with("x-signature", signature.trim_start_matches("sha256=")),
        with("x-signature", &signature[..signature.len() - 2]),
        with("x-signature", &format!("{signature}00")),
        with("x-signature", "sha256="),
        with("x-signature", "sha256=zz"),
        with("x-time", &time),
    ] {
        assert_eq!(verify(told, &given), Err(Refused::Wrong), "{given:?}");
    }
    let old = Refused::Time { seconds: 301, way: "ago", tolerance: 300 };
    assert_eq!(old.to_string(), "the call was made 301 seconds ago, more than the tolerance of 300");
    assert_eq!(verify(told, &signed_at(NOW - 301)), Err(old));
    assert_eq!(verify(told, &signed_at(NOW + 301)), Err(Refused::Time { seconds: 301, way: "ahead", tolerance: 300 }));
    let changed = told.webhook().unwrap().verify(&connection(), &signed_at(NOW), b"{}", now());
    assert_eq!(changed, Err(Refused::Wrong));
}

#[test]
fn without_a_secret_every_call_is_refused() {
    let shop = shop();
    let webhook = shop.trigger("told").unwrap().webhook().unwrap();
    let signature = hex(&sign(b"", &[NOW.to_string().as_bytes(), b".", BODY]));
    let forged = headers(&[("x-time", &NOW.to_string()), ("x-signature", &format!("sha256={signature}"))]);
    for connection in [json!({}), json!({"webhook_secret": ""}), json!({"webhook_secret": null})] {
        assert_eq!(webhook.verify(&value(connection), &forged, BODY, now()), Err(Refused::NoSecret));
    }
    for verify in [
        "{ kind: basic, username: ann, password: \"{{ connection.secret }}\" }",
        "{ kind: header_token, header: X-Token, token: \"{{ connection.secret }}\" }",
        "{ kind: standard_webhooks, secret: \"{{ connection.secret }}\" }",
    ] {
        let trigger = trigger(verify, "");
        let forged = headers(&[("authorization", "Basic YW5uOg=="), ("x-token", "")]);
        let refused = trigger.webhook().unwrap().verify(&value(json!({"secret": ""})), &forged, BODY, now());
        assert_eq!(refused, Err(Refused::NoSecret), "{verify}");
    }
}

#[test]
fn knows_each_algorithm_and_encoding() {
    // RFC 2202, RFC 4231: test case 2.
    let body = b"what do ya want for nothing?";
    let key = value(json!({"secret": "Jefe"}));
    for (algorithm, encoding, signature) in [
        ("sha1", "hex", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        ("sha256", "hex", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        ("sha256", "base64", "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="),
        ("sha256", "base64", "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM"),
        (
            "sha512",
            "hex",
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
        ),
    ] {
        let verify = format!(
            "{{ kind: hmac, algorithm: {algorithm}, secret: \"{{{{ connection.secret }}}}\", header: X-Sign, encoding: {encoding} }}"
        );
        let trigger = trigger(&verify, "");
        let webhook = trigger.webhook().unwrap();
        let given = headers(&[("x-sign", signature)]);
        assert_eq!(webhook.verify(&key, &given, body, now()), Ok(()), "{algorithm} {encoding}");
        assert_eq!(webhook.verify(&key, &given, b"other", now()), Err(Refused::Wrong), "{algorithm} {encoding}");
    }
}

#[test]
fn checks_names_passwords_and_tokens() {
    let basic = trigger("{ kind: basic, username: ann, password: \"{{ connection.secret }}\" }", "");
    let token = trigger("{ kind: header_token, header: X-Token, token: \"Bearer {{ connection.secret }}\" }", "");
    let open = trigger("{ kind: secret_url }", "");
    let authorization = |text: &str| headers(&[("authorization", &format!("basic {}", STANDARD.encode(text)))]);
    assert_eq!(verify(&basic, &authorization("ann:hush-0f3c")), Ok(()));
    for wrong in ["ann:hush-0f3d", "ann:", "bob:hush-0f3c", "ann", ""] {
        assert_eq!(verify(&basic, &authorization(wrong)), Err(Refused::Wrong), "{wrong}");
    }
    assert_eq!(verify(&basic, &headers(&[("authorization", "Bearer x")])), Err(Refused::Wrong));
    assert_eq!(verify(&basic, &headers(&[])), Err(Refused::Header(http::header::AUTHORIZATION)));
    assert_eq!(verify(&token, &headers(&[("x-token", "Bearer hush-0f3c")])), Ok(()));
    assert_eq!(verify(&token, &headers(&[("x-token", "hush-0f3c")])), Err(Refused::Wrong));
    assert_eq!(verify(&open, &headers(&[])), Ok(()));
    assert_eq!(basic.webhook().unwrap().verification_headers(), [http::header::AUTHORIZATION]);
}

#[test]
fn knows_standard_webhooks() {
    let trigger = trigger("{ kind: standard_webhooks, secret: \"{{ connection.secret }}\" }", "");
    let webhook = trigger.webhook().unwrap();
    let key = [7_u8; 24];
    let connection = value(json!({"secret": format!("whsec_{}", STANDARD.encode(key))}));
    let call = |id: &str, seconds: i64, before: &str| {
        let time = seconds.to_string();
        let signature = STANDARD.encode(sign(&key, &[id.as_bytes(), b".", time.as_bytes(), b".", BODY]));
        headers(&[
            ("webhook-id", id),
            ("webhook-timestamp", &time),
            ("webhook-signature", &format!("{before}v1,{signature}")),
        ])
    };
    let verify = |given: &HeaderMap| webhook.verify(&connection, given, BODY, now());
    assert_eq!(verify(&call("msg_1", NOW, "")), Ok(()));
    assert_eq!(verify(&call("msg_1", NOW, "v1,AAAA v2,BBBB v1a,CCCC ")), Ok(()));
    let mut other = call("msg_1", NOW, "");
    other.insert("webhook-id", "msg_2".parse().unwrap());
    assert_eq!(verify(&other), Err(Refused::Wrong));
    other.insert("webhook-signature", "v2,AAAA".parse().unwrap());
    assert_eq!(verify(&other), Err(Refused::Wrong));
    assert!(matches!(verify(&call("msg_1", NOW - 400, "")), Err(Refused::Time { .. })));
    assert!(matches!(verify(&headers(&[])), Err(Refused::Header(_))));
    let no_base64 = value(json!({"secret": "whsec_!"}));
    assert_eq!(webhook.verify(&no_base64, &call("msg_1", NOW, ""), BODY, now()), Err(Refused::NoSecret));
}

#[test]
fn why_a_call_is_refused_shows_no_secret() {
    let shop = shop();
    let mut given = signed_at(NOW);
    given.insert("x-signature", "sha256=hush-0f3c".parse().unwrap());
    let refused = verify(shop.trigger("told").unwrap(), &given).unwrap_err();
    assert!(!format!("{refused} {refused:?}").contains("hush"));
}

#[test]
fn splits_selects_and_names_events() {
    let shop = shop();
    let webhook = shop.trigger("told").unwrap().webhook().unwrap();
    let fire =
        |parameters: Json, body: Json| webhook.fire(&connection(), &value(parameters), &headers(&[]), &value(body));
    let event = |kind: &str, id: Json| json!({"type": kind, "id": id});
    let body =
        json!({"events": [event("created", json!(1)), event("changed", json!(2)), event("created", json!("")), 7]});
    let fired = fire(json!({"event": "created"}), body.clone()).unwrap();
    let expected = [
        Fired { payload: value(event("created", json!(1))), event_id: Some("1".to_owned()) },
        Fired { payload: value(event("created", json!(""))), event_id: None },
    ];
    assert_eq!(fired, expected);
    assert_eq!(fire(json!({"event": "changed"}), body).unwrap().len(), 1);
    for nothing in [json!({}), json!({"events": []}), json!({"events": null}), json!("text"), json!([1])] {
        assert_eq!(fire(json!({"event": "created"}), nothing.clone()), Ok(vec![]), "{nothing}");
    }
    let one = fire(json!({"event": "created"}), json!({"events": event("created", json!(5))})).unwrap();
    assert_eq!(one[0].event_id.as_deref(), Some("5"));
}

#[test]
fn without_expressions_the_body_is_the_event() {
    let trigger = trigger("{ kind: none }", "");
    for body in [json!({"a": 1}), json!([1, 2]), json!("text")] {
        let fired =
            trigger.webhook().unwrap().fire(&connection(), &value(json!({})), &headers(&[]), &value(body.clone()));
        assert_eq!(fired, Ok(vec![Fired { payload: value(body), event_id: None }]));
    }
}

#[test]
fn expressions_see_headers_but_no_signature() {
    let verify = "{ kind: header_token, header: X-Token, token: \"{{ connection.secret }}\" }";
    let trigger = trigger(verify, ", batch: \"[headers]\", select: \"connection.name == headers['x-name']\"");
    let webhook = trigger.webhook().unwrap();
    let given = headers(&[("x-token", "hush-0f3c"), ("x-name", "ann")]);
    let fired = webhook.fire(&connection(), &value(json!({})), &given, &value(json!({}))).unwrap();
    assert_eq!(to_json(&fired[0].payload), json!({"x-name": "ann"}));
    let other = webhook.fire(&value(json!({"name": "bob"})), &value(json!({})), &given, &value(json!({})));
    assert_eq!(other, Ok(vec![]));
}

#[test]
fn a_call_that_can_not_be_read_says_where() {
    let trigger = trigger("{ kind: none }", ", batch: \"body.items | join\", select: \"item + 1\"");
    let fire =
        |body: Json| trigger.webhook().unwrap().fire(&connection(), &value(json!({})), &headers(&[]), &value(body));
    for (items, place) in [(json!(7), "batch"), (json!(["a"]), "select")] {
        let Err(Unread::Wrong(fault)) = fire(json!({"items": items})) else { panic!("{place} was read") };
        assert_eq!(fault.field, place);
    }
}

#[test]
fn a_call_has_so_many_items_and_no_more() {
    let trigger = trigger("{ kind: none }", ", batch: body");
    let fire = |items: usize| {
        let body = value(Json::from(vec![json!({}); items]));
        trigger.webhook().unwrap().fire(&connection(), &value(json!({})), &headers(&[]), &body)
    };
    assert_eq!(fire(10_000).unwrap().len(), 10_000);
    assert_eq!(fire(10_001), Err(Unread::TooMany { most: 10_000 }));
    assert_eq!(fire(10_001).unwrap_err().to_string(), "batch: expected at most 10000 items");
}

#[test]
fn a_long_event_id_becomes_its_digest() {
    let shop = shop();
    let webhook = shop.trigger("told").unwrap().webhook().unwrap();
    let fire = |id: &str| {
        let body = value(json!({"events": [{"type": "created", "id": id}]}));
        let fired = webhook.fire(&connection(), &value(json!({"event": "created"})), &headers(&[]), &body).unwrap();
        fired[0].event_id.clone().unwrap()
    };
    let (long, other) = (fire(&"a".repeat(201)), fire(&"a".repeat(202)));
    assert_eq!((fire(&"a".repeat(200)).len(), long.len()), (200, 71));
    assert!(long.starts_with("sha256:") && long != other);
}

#[test]
fn times_may_be_milliseconds() {
    let verify_ = "{ kind: hmac, algorithm: sha256, secret: \"{{ connection.secret }}\", header: X-Sign, encoding: hex, signed: [{ header: X-Time }, body], timestamp: { header: X-Time, tolerance: 1m } }";
    let trigger = trigger(verify_, "");
    let at = |time: &str| headers(&[("x-time", time), ("x-sign", &hex(&sign(b"hush-0f3c", &[time.as_bytes(), BODY])))]);
    assert_eq!(verify(&trigger, &at(&format!("{NOW}123"))), Ok(()));
    assert!(matches!(verify(&trigger, &at(&format!("{}123", NOW - 61))), Err(Refused::Time { .. })));
    assert_eq!(verify(&trigger, &at("soon")), Err(Refused::Header("x-time".parse().unwrap())));
}
