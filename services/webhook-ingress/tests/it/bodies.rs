//! What bodies of other kinds than JSON become.

use std::sync::Arc;

use axum::{body::Body, http::StatusCode};
use patchbay_webhook_ingress::Config;
use serde_json::{Value, json};

use crate::house::{Answer, House, hook};

const FORM: &str = "application/x-www-form-urlencoded";

async fn send(house: &House, token: &str, kind: &str, body: impl Into<Body>) -> Answer {
    house.send(hook(token).header("content-type", kind).body(body.into()).unwrap()).await
}

/// What the trigger is after a body that must be taken.
async fn trigger(kind: &str, body: impl Into<Body>) -> Value {
    let house = House::new().await;
    let (_, token) = house.peers.publish("{}");
    let answer = send(&house, &token, kind, body).await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "OK"));
    serde_json::from_slice(&house.fired().await.payload).unwrap()
}

fn encoded(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

#[tokio::test]
async fn a_lead_of_amocrm_is_an_object_of_lists() {
    let body = encoded(&[
        ("leads[add][0][id]", "25399013"),
        ("leads[add][0][name]", "Заявка «Лето» 🎉 {{ 7*7 }}"),
        ("leads[add][0][price]", "0"),
        ("leads[add][0][custom_fields][0][id]", "427183"),
        ("leads[add][0][custom_fields][0][name]", "Город"),
        ("leads[add][0][custom_fields][0][values][0][value]", "Санкт-Петербург"),
        ("leads[add][0][custom_fields][0][values][0][enum]", "1240665"),
        ("leads[add][0][custom_fields][1][id]", "427190"),
        ("leads[add][0][custom_fields][1][values][]", "1577836800"),
        ("leads[add][1][id]", "25399014"),
        ("account[subdomain]", "shop"),
        ("account[_links][self]", "https://shop.amocrm.ru"),
    ]);
    let first_fields = json!([
        {"id": "427183", "name": "Город", "values": [{"value": "Санкт-Петербург", "enum": "1240665"}]},
        {"id": "427190", "values": ["1577836800"]},
    ]);
    let first = json!({
        "id": "25399013", "name": "Заявка «Лето» 🎉 {{ 7*7 }}", "price": "0", "custom_fields": first_fields,
    });
    let expected = json!({
        "leads": {"add": [first, {"id": "25399014"}]},
        "account": {"subdomain": "shop", "_links": {"self": "https://shop.amocrm.ru"}},
    });
    assert_eq!(trigger(FORM, body).await, expected);
}

#[tokio::test]
async fn an_order_of_tilda_has_flat_and_nested_names() {
    let body = "Name=Anna+%22A%22&Phone=%2B7+%28999%29+123-45-67&Email=anna%40shop.test&Textarea=one%0D%0Atwo\
        &payment[sys]=sberbank&payment[orderid]=1518391&payment[products][0][name]=Mug%2C+white\
        &payment[products][0][quantity]=2&payment[products][0][options][0][option]=Size\
        &payment[products][1][name]=T-shirt&payment[amount]=1190\
        &COOKIES=_ym_uid%3D1&tranid=1234:5678&formid=form173214453&Interest=a&Interest=b";
    let expected = json!({
        "Name": "Anna \"A\"", "Phone": "+7 (999) 123-45-67", "Email": "anna@shop.test", "Textarea": "one\r\ntwo",
        "payment": {
            "sys": "sberbank", "orderid": "1518391", "amount": "1190",
            "products": [
                {"name": "Mug, white", "quantity": "2", "options": [{"option": "Size"}]},
                {"name": "T-shirt"},
            ],
        },
        "COOKIES": "_ym_uid=1", "tranid": "1234:5678", "formid": "form173214453", "Interest": ["a", "b"],
    });
    assert_eq!(trigger(FORM, body).await, expected);
}

#[tokio::test]
async fn a_form_and_json_of_the_same_content_are_the_same_event() {
    let house = House::new().await;
    let (_, token) = house.peers.publish("{}");
    send(&house, &token, FORM, "b[]=x&b[]=y&a[k]=1").await;
    let form = house.fired().await;
    assert_eq!(house.event(&token, r#"{"a":{"k":"1"},"b":["x","y"]}"#).await.event_id, form.event_id);
    let parts = "--q\r\nContent-Disposition: form-data; name=\"a[k]\"\r\n\r\n1\r\n\
        --q\r\nContent-Disposition: form-data; name=\"b[]\"\r\n\r\nx\r\n\
        --q\r\nContent-Disposition: form-data; name=\"b[]\"\r\n\r\ny\r\n--q--\r\n";
    send(&house, &token, "multipart/form-data; boundary=q", parts).await;
    assert_eq!(house.fired().await.event_id, form.event_id);
}

#[tokio::test]
async fn names_that_are_malformed_or_clash_lose_nothing() {
    let expected = json!({"a[": "1", "]b[": "2", "c[d": "3", "e": {"": "4", "f": "5"}, "g": {"7": "6"}});
    assert_eq!(trigger(FORM, "a[=1&]b[=2&c[d=3&e=4&e[f]=5&g[7]=6").await, expected);
}

#[tokio::test]
async fn a_hostile_form_is_refused() {
    let house = House::new().await;
    let (_, token) = house.peers.publish("{}");
    let deep = format!("a{}=1", "[b]".repeat(32));
    let endless = format!("a{}=1", "[]".repeat(1_000_000));
    for body in [deep, endless] {
        let answer = send(&house, &token, FORM, body).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::BAD_REQUEST, "invalid_argument"));
        assert!(answer.body.contains("32 levels"), "{}", answer.body);
    }
    let answer = send(&house, &token, FORM, "a[]=&".repeat(10_001)).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "too_large"));
    assert!(answer.body.contains("10000 fields"), "{}", answer.body);
    assert_eq!(house.waiting(), 0);
}

#[tokio::test]
async fn the_widest_and_deepest_form_that_is_taken_is_an_event() {
    let path = "[k]".repeat(30);
    let body: Vec<_> = (0..10_000).map(|number| format!("a[{number}]{path}=v")).collect();
    let trigger = trigger(FORM, body.join("&")).await;
    assert_eq!(trigger["a"].as_array().unwrap().len(), 10_000);
}

#[tokio::test]
async fn a_multipart_form_carries_fields_and_files() {
    let body = [
        "--q1\r\nContent-Disposition: form-data; name=\"lead[name]\"\r\n\r\nЖанна \u{1f600}\r\n".as_bytes(),
        b"--q1\r\nContent-Disposition: form-data; name=\"lead[note]\"\r\n\r\na\r\n--q\r\n{{ b }}\r\n",
        b"--q1\r\nContent-Disposition: form-data; name=\"files[]\"; filename=\"a.csv\"\r\nContent-Type: text/csv\r\n\r\n",
        b"id;name\r\n1;x\r\n\r\n",
        b"--q1\r\nContent-Disposition: form-data; name=\"files[]\"; filename=\"b.gif\"\r\nContent-Type: image/gif\r\n\r\n",
        b"GIF89a\xff\r\n--q1--\r\n",
    ];
    let expected = json!({
        "lead": {"name": "Жанна \u{1f600}", "note": "a\r\n--q\r\n{{ b }}"},
        "files": [
            {"filename": "a.csv", "content_type": "text/csv", "size": 14, "text": "id;name\r\n1;x\r\n"},
            {"filename": "b.gif", "content_type": "image/gif", "size": 7, "base64": "R0lGODlh/w=="},
        ],
    });
    assert_eq!(trigger("multipart/form-data; boundary=q1", body.concat()).await, expected);
}

#[tokio::test]
async fn a_multipart_body_is_bounded_like_any_other() {
    let config = Config { max_body_bytes: 1_000, ..Config::default() };
    let house = House::with(|ground| Arc::clone(&ground.broker), config).await;
    let (_, token) = house.peers.publish("{}");
    let head = "--q\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\n";
    let body = format!("{head}{}\r\n--q--", "x".repeat(1_000));
    let answer = send(&house, &token, "multipart/form-data; boundary=q", body).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "too_large"));
    let cut = format!("{head}value");
    for kind in ["multipart/form-data; boundary=q", "multipart/form-data; boundary=other", "multipart/form-data"] {
        let answer = send(&house, &token, kind, cut.clone()).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::BAD_REQUEST, "invalid_argument"), "{kind}");
        assert!(answer.body.contains("multipart/form-data"), "{}", answer.body);
    }
}

#[tokio::test]
async fn xml_is_its_text() {
    let text = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<order id='1'>é \"x\" {{ y }}</order>\r\n";
    for kind in ["application/xml", "text/xml; charset=utf-8", "application/atom+xml"] {
        assert_eq!(trigger(kind, text).await, json!(text), "{kind}");
    }
}

#[tokio::test]
async fn xml_of_another_encoding_is_refused() {
    let house = House::new().await;
    let (_, token) = house.peers.publish("{}");
    let bodies: [(&str, &[u8]); 3] = [
        ("text/xml", b"<a>\xe9</a>"),
        ("text/xml; charset=iso-8859-1", b"<a/>"),
        ("application/xml", b"<?xml version=\"1.0\" encoding=\"windows-1251\"?><a/>"),
    ];
    for (kind, body) in bodies {
        let answer = send(&house, &token, kind, body).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::BAD_REQUEST, "invalid_argument"), "{kind}");
        assert!(answer.body.contains("UTF-8"), "{}", answer.body);
    }
    assert_eq!(house.waiting(), 0);
}
