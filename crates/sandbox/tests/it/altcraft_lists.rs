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

#[tokio::test]
async fn lists_segments_and_resources_with_their_quirks() {
    let server = Server::start().await;
    let segments = server.call("segments/list", json!({})).await;
    let expected = json!({
        "error": 0, "error_text": "Successful operation", "next_from_id": 5, "total_count": 2,
        "data": [
            { "id": 3, "name": "Regulars", "ui_tags": ["crm"], "Groups": [{ "Id": 1, "Name": "main" }] },
            { "id": 4, "name": "Sleepers", "ui_tags": [], "Groups": [{ "Id": 2, "Name": "loyalty" }] },
        ],
    });
    assert_eq!(segments, expected);

    let resources = server.call("resources/list", json!({ "limit": 1 })).await;
    let expected = json!({
        "error": 0, "error_text": "Successful operation", "next_from_id": 3, "total_count": 3,
        "data": [{ "id": 2, "name": "Newsletter", "groups": [{ "id": 1, "name": "main" }] }],
    });
    assert_eq!(resources, expected);
}

#[tokio::test]
async fn lists_trigger_mailings_without_a_next_page() {
    let server = Server::start().await;
    let answer = server.call("campaigns/triggers/list", json!({ "is_active": true })).await;
    let row = |id: i64, name: &str, kind: &str, tags: Value, group: Value| {
        json!({
            "id": id, "name": name, "type": kind, "is_active": true, "for_confirm": false, "ui_tags": tags,
            "groups": [group],
        })
    };
    let expected = json!({
        "error": 0, "error_text": "Successful operation", "total_count": 2,
        "data": [
            row(55, "Receipt", "api_call", json!(["crm"]), json!({ "id": 1, "name": "main" })),
            row(57, "Happy birthday", "date", json!([]), json!({ "id": 2, "name": "loyalty" })),
        ],
    });
    assert_eq!(answer, expected);
    assert_eq!(server.call("campaigns/triggers/list", json!({ "is_active": "yes" })).await["error"], 400);
}

#[tokio::test]
async fn leaves_out_rows_that_filters_do_not_name() {
    let server = Server::start().await;
    let cases = [
        ("segments/list", json!({ "ui_tags": ["crm", "other"] }), vec![3]),
        ("segments/list", json!({ "groups": ["loyalty"] }), vec![4]),
        ("workflows/list", json!({ "groups_id": [1] }), vec![12, 13]),
        ("workflows/list", json!({ "groups_id": [1], "from_id": 13 }), vec![13]),
        ("resources/list", json!({ "groups_id": ["2"] }), vec![6]),
        ("databases/list", json!({ "groups": ["main"], "groups_id": [9] }), vec![]),
        ("campaigns/triggers/list", json!({ "ui_tags": ["crm"] }), vec![55]),
    ];
    for (method, body, expected) in cases {
        let answer = server.call(method, body.clone()).await;
        let ids: Vec<i64> = answer["data"].as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect();
        assert_eq!(ids, expected, "{method} {body}");
    }
    assert_eq!(server.call("segments/list", json!({ "ui_tags": "crm" })).await["error"], 400);
    assert_eq!(server.call("segments/list", json!({ "groups_id": ["x"] })).await["error"], 400);
}

#[tokio::test]
async fn describes_databases_resources_and_their_fields() {
    let server = Server::start().await;
    let customers = server.call("databases/fields_get", json!({ "db_id": 7 })).await["data"].clone();
    let partners = server.call("databases/fields_get", json!({ "id": 8 })).await["data"].clone();
    assert_eq!(customers[0], json!({ "id": 1, "name": "email", "title": "Email", "type": "email" }));
    let names = |fields: &Value| -> Vec<String> {
        fields.as_array().unwrap().iter().map(|field| field["name"].as_str().unwrap().to_owned()).collect()
    };
    assert!(names(&customers).contains(&"orders".to_owned()) && !names(&partners).contains(&"orders".to_owned()));

    let fields = server.call("resources/fields_get", json!({ "resource_id": 2 })).await;
    assert_eq!(fields["data"][0]["name"], "_device_type");
    let resource = server.call("resources/get", json!({ "id": 5 })).await;
    let expected = json!({ "id": 5, "name": "Mobile app", "channels": ["push"], "dbs_ids": [7] });
    assert_eq!(resource["data"], expected);
    assert_eq!(server.call("databases/get", json!({ "id": 7 })).await["data"]["name"], "Customers");

    for (method, name) in [
        ("databases/fields_get", "db_id"),
        ("databases/get", "id"),
        ("resources/fields_get", "resource_id"),
        ("resources/get", "id"),
    ] {
        assert_eq!(server.call(method, json!({ name: 99 })).await["error"], 404, "{method}");
        assert_eq!(server.call(method, json!({})).await["error"], 400, "{method}");
    }
}
