#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use serde_json::{Value, json};

use crate::support::{Server, TOKEN};

const XML: (&str, &str) = ("Content-Type", "application/xml; charset=utf-8");

async fn send_xml(server: &Server, method: &str, body: &str) -> Value {
    let bearer = format!("Bearer {TOKEN}");
    let request = format!("POST /api/v1.1/{method}");
    let reply = server.send(&request, &[XML, ("Authorization", &bearer)], body.as_bytes()).await.unwrap();
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()
}

#[tokio::test]
async fn takes_an_import_in_xml() {
    let server = Server::start().await;
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>
        <xml>
            <token>{TOKEN}</token>
            <db_id>7</db_id>
            <matching>email</matching>
            <email>ann@shop.test</email>
            <skip_triggers>true</skip_triggers>
            <add_to_segments array='true'><segment>3</segment></add_to_segments>
            <data>
                <_fname>Анна</_fname>
                <phones array='true'><phone>+79001112233</phone></phones>
                <orders><action>incr</action><value>2</value></orders>
                <subscriptions array='true'>
                    <subscription>
                        <resource_id>2</resource_id>
                        <channel>email</channel>
                        <email>ann@shop.test</email>
                        <status>1</status>
                    </subscription>
                </subscriptions>
            </data>
        </xml>"
    );
    let reply = server.send("POST /api/v1.1/profiles/import/", &[XML], body.as_bytes()).await.unwrap();
    let id = reply.json()["profile_id"].clone();

    let subscription = json!({
        "resource_id": 2, "channel": "email", "email": "ann@shop.test", "status": "unsubscribed",
    });
    let expected = json!({
        "id": id, "db_id": 7, "email": "ann@shop.test", "_fname": "Анна", "phones": ["+79001112233"], "orders": 2,
        "subscriptions": [subscription],
    });
    assert_eq!(server.items("/_/altcraft/profiles").await, [expected]);
    assert_eq!(server.items("/_/altcraft/segments/3/members").await.len(), 1);
}

#[tokio::test]
async fn takes_a_batch_in_xml() {
    let server = Server::start().await;
    let body = "<xml><workflow_id>12</workflow_id><data array='true'>\
        <item><data><email>a@b</email></data></item><item><data><email>c@d</email></data></item>\
        </data></xml>";
    let answer = send_xml(&server, "workflows/import_and_start_batch", body).await;
    assert_eq!(answer["result"].as_array().map(Vec::len), Some(2), "{answer}");
    assert_eq!(server.items("/_/altcraft/workflows/12/entries").await.len(), 2);
}

#[tokio::test]
async fn refuses_what_is_no_xml_document() {
    let server = Server::start().await;
    let deep = format!("<xml>{}{}</xml>", "<a>".repeat(50_000), "</a>".repeat(50_000));
    for body in ["<xml>", "<data/>", "{}", "<!DOCTYPE a [<!ENTITY b 'c'>]><xml>&b;</xml>", &deep] {
        assert_eq!(send_xml(&server, "databases/list", body).await["error"], 400, "{body:.40}");
    }
}

#[tokio::test]
async fn answers_in_xml_when_asked_to() {
    let server = Server::start().await;
    let bearer = format!("Bearer {TOKEN}");
    let headers = [("Authorization", bearer.as_str())];
    let by_url = server.send("POST /api/v1.1/workflows/list?format=xml", &headers, br#"{"limit":1}"#).await.unwrap();
    let by_body = br#"{"format":"xml","db_id":7,"email":"a&b"}"#;
    let refused = server.send("POST /api/v1.1/profiles/get", &headers, by_body).await.unwrap();

    assert!(by_url.head.contains("content-type: application/xml"), "{}", by_url.head);
    assert!(by_url.body.contains("<error>0</error><error_text>Successful operation</error_text>"), "{}", by_url.body);
    assert!(by_url.body.contains("<data>") && by_url.body.contains("<id>12</id>"), "{}", by_url.body);
    assert_eq!(refused.status, 200);
    assert!(refused.body.contains("<error>400</error>"), "{}", refused.body);
}

#[tokio::test]
async fn refuses_a_format_that_it_does_not_write() {
    let server = Server::start().await;
    assert_eq!(server.call("databases/list", json!({ "format": "csv" })).await["error"], 400);
    assert_eq!(server.call("databases/list", json!({ "format": "json" })).await["error"], 0);
}

#[tokio::test]
async fn gives_any_code_that_a_fault_tells_it_to() {
    let server = Server::start().await;
    for code in [402, 440] {
        let body = json!({ "error": code, "error_text": "as told" });
        let fault = json!({ "match": "POST /api/v1.1/profiles/import", "body": body, "times": 1 });
        server.fault(&fault).await;
        assert_eq!(server.import_error(json!({ "email": "a@b", "data": {} })).await, code);
    }
    assert_eq!(server.items("/_/altcraft/profiles").await, Vec::<Value>::new());
    server.import(json!({ "email": "a@b", "data": {} })).await;
}
