use serde_json::{Value, json};

use crate::support::Server;

async fn launches(server: &Server) -> Vec<Value> {
    server.items("/_/altcraft/triggers/55/launches").await
}

#[tokio::test]
async fn starts_for_a_profile_that_is_there() {
    let server = Server::start().await;
    let data = json!({ "phones": ["+79001112233"] });
    let id = server.import(json!({ "email": "a@b", "data": data })).await;
    for trigger in [json!(55), json!("55")] {
        let body = json!({ "id": trigger, "matching": "phone", "phone": "+79001112233", "content": { "sum": 10 } });
        let answer = server.call("campaigns/triggers/start", body).await;
        assert_eq!(answer, json!({ "error": 0, "error_text": "Successful operation" }));
    }
    let launches = launches(&server).await;
    assert_eq!(launches.len(), 2);
    let at = &launches[0]["started_at"];
    assert_eq!(launches[0], json!({ "profile_id": id, "email": "a@b", "started_at": at, "due_at": at }));
}

#[tokio::test]
async fn refuses_to_start_what_does_not_fit() {
    let server = Server::start().await;
    server.import(json!({ "email": "a@b", "data": {} })).await;
    let cases = [
        (json!({ "trigger_id": 55, "email": "a@b" }), 400),
        (json!({ "id": 56, "email": "a@b" }), 400),
        (json!({ "id": 57, "email": "a@b" }), 400),
        (json!({ "id": 99, "email": "a@b" }), 404),
        (json!({ "id": 55, "email": "c@d" }), 404),
        (json!({ "id": 55, "matching": "push_sub", "provider": "p", "subscription_id": "t" }), 400),
        (json!({ "id": 55, "email": "a@b", "custom_data": "x" }), 400),
    ];
    for (body, expected) in cases {
        assert_eq!(server.call("campaigns/triggers/start", body.clone()).await["error"], expected, "{body}");
    }
    assert_eq!(launches(&server).await, Vec::<Value>::new());
}

#[tokio::test]
async fn starts_many_and_names_those_it_reached() {
    let server = Server::start().await;
    let first = server.import(json!({ "email": "a@b", "data": {} })).await;
    let second = server.import(json!({ "email": "c@d", "data": {} })).await;
    let items = json!([{ "email": "a@b" }, { "email": "nobody@b" }, { "email": "c@d", "custom_data": {} }]);
    let answer = server.call("campaigns/triggers/start_batch", json!({ "trigger_id": 55, "data": items })).await;

    let expected = json!({ "error": 0, "error_text": "Successful operation", "result": [first, second] });
    assert_eq!(answer, expected);
    let by_id = json!({ "id": 55, "data": [] });
    assert_eq!(server.call("campaigns/triggers/start_batch", by_id).await["error"], 400);
}

#[tokio::test]
async fn starts_many_by_a_task_whose_key_is_id() {
    let server = Server::start().await;
    server.import(json!({ "email": "a@b", "data": { "CRM_ID": "A" } })).await;
    let items = json!([{ "field_value": "A" }, { "field_value": "B" }]);
    let body = json!({ "id": 55, "matching": "custom", "field_name": "CRM_ID", "data": items });
    let answer = server.call("campaigns/triggers/start_batch_task", body).await;

    assert!(answer["task_id"].is_string(), "{answer}");
    assert_eq!(launches(&server).await.len(), 1);
    let by_trigger_id = json!({ "trigger_id": 55, "data": [] });
    assert_eq!(server.call("campaigns/triggers/start_batch_task", by_trigger_id).await["error"], 400);
}

#[tokio::test]
async fn imports_and_starts_after_a_delay() {
    let server = Server::start().await;
    let body = json!({
        "db_id": 7, "trigger_id": 55, "email": "a@b", "data": { "_fname": "Ann" },
        "timeout": { "days": 1, "hours": 0, "minutes": 0 },
    });
    let answer = server.call("campaigns/triggers/import_and_start", body).await;

    let id = answer["profile_id"].clone();
    assert_eq!(answer, json!({ "error": 0, "error_text": "Successful operation", "profile_id": id }));
    let launch = launches(&server).await.remove(0);
    let time = |name: &str| launch[name].as_str().unwrap().split_once('T').unwrap();
    assert_eq!(time("started_at").1, time("due_at").1);
    assert_ne!(time("started_at").0, time("due_at").0);
}

#[tokio::test]
async fn imports_nothing_when_the_mailing_can_not_start() {
    let server = Server::start().await;
    let cases = [
        (json!({ "id": 55, "email": "a@b", "data": {} }), 400),
        (json!({ "trigger_id": 56, "email": "a@b", "data": {} }), 400),
        (json!({ "trigger_id": 57, "email": "a@b", "data": {} }), 400),
        (json!({ "trigger_id": 55, "db_id": 8, "email": "a@b", "data": {} }), 400),
        (json!({ "trigger_id": 55, "email": "a@b", "data": {}, "timeout": { "weeks": 1 } }), 400),
        (json!({ "trigger_id": 55, "email": "a@b", "data": {}, "timeout": { "days": -1 } }), 400),
        (json!({ "trigger_id": 55, "email": "a@b", "data": {}, "timeout": { "days": 4_000_000_000_u32 } }), 400),
        (json!({ "trigger_id": 55, "email": "a@b", "data": {}, "timeout": 60 }), 400),
    ];
    for (body, expected) in cases {
        let answer = server.call("campaigns/triggers/import_and_start", body.clone()).await;
        assert_eq!(answer["error"], expected, "{body}");
    }
    assert_eq!(server.items("/_/altcraft/profiles").await, Vec::<Value>::new());
}

#[tokio::test]
async fn imports_and_starts_wrapped_items() {
    let server = Server::start().await;
    let items = json!([{ "data": { "email": "a@b" } }, { "email": "flat@b" }]);
    let body = json!({ "db_id": 7, "trigger_id": 55, "timeout": { "minutes": 5 }, "data": items });
    let answer = server.call("campaigns/triggers/import_and_start_batch", body.clone()).await;
    assert_eq!((&answer["result"][0]["error"], &answer["result"][1]["error"]), (&json!(0), &json!(400)));

    let task = server.call("campaigns/triggers/import_and_start_batch_task", body).await;
    assert!(task["task_id"].is_string(), "{task}");
    let launches = launches(&server).await;
    assert_eq!(launches.len(), 2);
    assert!(launches.iter().all(|launch| launch["started_at"] != launch["due_at"]), "{launches:?}");
}

#[tokio::test]
async fn describes_a_mailing() {
    let server = Server::start().await;
    let answer = server.call("campaigns/triggers/get", json!({ "id": 55 })).await;
    assert_eq!((&answer["data"]["id"], &answer["data"]["trigger_type"]), (&json!(55), &json!("api_call")));
    assert!(answer["data"]["call_url"].as_str().unwrap().contains("/trg/"), "{answer}");
    assert_eq!(server.call("campaigns/triggers/get", json!({ "id": 99 })).await["error"], 404);
    assert_eq!(server.call("campaigns/triggers/get", json!({})).await["error"], 400);
}
