use serde_json::{Value, json};

use crate::support::Server;

#[tokio::test]
async fn lists_databases_with_their_quirks() {
    let server = Server::start().await;
    let answer = server.call("databases/list", json!({})).await;
    let groups = json!([{ "Id": 1, "Name": "main" }]);
    let expected = json!({
        "error": 0,
        "error_text": "Successful operation",
        "data": [
            { "id": 7, "name": "Customers", "ui_tags": [], "Groups": groups },
            { "id": 8, "name": "Partners", "ui_tags": [], "Groups": groups },
        ],
        "next_from_id": 9,
        "total_count": 2,
    });
    assert_eq!(answer, expected);
}

#[tokio::test]
async fn lists_scenarios_with_their_quirks() {
    let server = Server::start().await;
    let mut answer = server.call("workflows/list/", json!({})).await;

    let rows = answer.as_object_mut().unwrap().remove("data").unwrap();
    assert_eq!(answer, json!({ "error": 0, "error text": "Successful operation", "next_from_id": 15, "total": 3 }));
    let rows: Vec<Value> =
        rows.as_array().unwrap().iter().map(|row| json!([row["id"], row["is_active"], row["list_id"]])).collect();
    assert_eq!(rows, [json!([12, true, 7]), json!([13, false, 7]), json!([14, true, 8])]);
}

#[tokio::test]
async fn pages_until_the_data_is_empty() {
    let server = Server::start().await;
    for (method, expected) in [("databases/list", vec![7, 8]), ("workflows/list", vec![12, 13, 14])] {
        let mut ids = Vec::new();
        let mut from_id = json!(1);
        loop {
            let page = server.call(method, json!({ "from_id": from_id, "limit": "1" })).await;
            let data = page["data"].as_array().unwrap();
            let Some(row) = data.first() else { break };
            assert_eq!(data.len(), 1);
            ids.push(row["id"].as_i64().unwrap());
            from_id = page["next_from_id"].clone();
        }
        assert_eq!(ids, expected);
    }
}

#[tokio::test]
async fn refuses_a_page_that_is_none() {
    let server = Server::start().await;
    for body in [json!({ "limit": 0 }), json!({ "limit": -1 }), json!({ "limit": "x" }), json!({ "from_id": [] })] {
        assert_eq!(server.call("databases/list", body.clone()).await["error"], 400, "{body}");
    }
}
