//! What other services ask for.

use patchbay_proto::connection::{
    internal::v1::{
        ChangesSinceRequest, ChangesSinceResponse, ConnectionDefinition, HookKeysRequest, IssueCredentialRequest,
        IssueCredentialResponse, ReportCredentialRequest,
    },
    v1::DeleteConnectionRequest,
};
use patchbay_types::fault::{Code, Fault};
use serde_json::json;

use crate::house::{House, TOKEN, answered, json};

impl House {
    async fn changes_since(&mut self, revision: i64) -> ChangesSinceResponse {
        answered(self.internal.changes_since(ChangesSinceRequest { revision }).await).unwrap()
    }

    pub(crate) async fn issue(&mut self, connection_id: i64) -> Result<IssueCredentialResponse, Fault> {
        answered(self.internal.issue_credential(IssueCredentialRequest { connection_id }).await)
    }

    async fn report(&mut self, connection_id: i64, revision: i64) {
        let request = ReportCredentialRequest { connection_id, revision };
        answered(self.internal.report_refused_credential(request).await).unwrap();
    }
}

fn definition(id: i64, workspace_id: i64, status: &str, revision: i64) -> ConnectionDefinition {
    let (partner, status) = ("mail".to_owned(), status.to_owned());
    ConnectionDefinition { id, workspace_id, partner, status, revision, concurrency: None }
}

#[tokio::test]
async fn changes_are_told_in_their_order() {
    let mut house = House::start().await;
    assert_eq!(house.changes_since(0).await, ChangesSinceResponse::default());
    let one = house.create(1, &json!({"token": TOKEN})).await.unwrap().id;
    let two = house.create(2, &json!({"token": TOKEN})).await.unwrap().id;
    let created = house.changes_since(0).await;
    let connections = vec![definition(one, 1, "active", 1), definition(two, 2, "active", 2)];
    assert_eq!(created, ChangesSinceResponse { revision: 2, connections });

    house.update(1, one, &json!({"size": 3})).await.unwrap();
    answered(house.public.delete(DeleteConnectionRequest { workspace_id: 2, id: two }).await).unwrap();
    let connections = vec![definition(one, 1, "active", 3), definition(two, 2, "deleted", 4)];
    let changed = ChangesSinceResponse { revision: 4, connections };
    assert_eq!(house.changes_since(2).await, changed);
    assert_eq!(house.changes_since(0).await, changed);
    assert_eq!(house.changes_since(4).await, ChangesSinceResponse { revision: 4, connections: Vec::new() });
}

#[tokio::test]
async fn a_refused_change_raises_no_revision() {
    let mut house = House::start().await;
    house.create(1, &json!({"token": TOKEN})).await.unwrap();
    house.update(1, 99, &json!({"size": 3})).await.unwrap_err();
    assert_eq!(house.changes_since(1).await, ChangesSinceResponse { revision: 1, connections: Vec::new() });
    house.create(1, &json!({"token": TOKEN})).await.unwrap();
    assert_eq!(house.changes_since(1).await.revision, 2);
}

#[tokio::test]
async fn revisions_go_on_after_a_restart() {
    let mut house = House::start().await;
    let one = house.create(1, &json!({"token": TOKEN})).await.unwrap().id;
    let mut house = house.restart().await;
    assert_eq!(house.changes_since(1).await, ChangesSinceResponse { revision: 1, connections: Vec::new() });
    house.update(1, one, &json!({"size": 3})).await.unwrap();
    assert_eq!(house.changes_since(1).await.connections, [definition(one, 1, "active", 2)]);
}

#[tokio::test]
async fn who_is_ahead_of_the_database_is_told_all() {
    let mut house = House::start().await;
    let one = house.create(1, &json!({"token": TOKEN})).await.unwrap().id;
    let connections = vec![definition(one, 1, "active", 1)];
    assert_eq!(house.changes_since(900).await, ChangesSinceResponse { revision: 1, connections });
}

#[tokio::test]
async fn concurrent_creations_have_revisions_without_gaps() {
    let mut house = House::start().await;
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let request = patchbay_proto::connection::v1::CreateConnectionRequest {
                workspace_id: 1,
                partner: "mail".to_owned(),
                title: String::new(),
                fields: json!({"token": TOKEN}).to_string().into(),
                concurrency: None,
            };
            let mut client = house.public.clone();
            async move { client.create(request).await.unwrap().into_inner().id }
        })
        .collect();
    let mut ids = Vec::new();
    let mut set = tokio::task::JoinSet::new();
    for task in tasks {
        set.spawn(task);
    }
    while let Some(id) = set.join_next().await {
        ids.push(id.unwrap());
    }
    ids.sort_unstable();
    let mut told: Vec<i64> = house.changes_since(0).await.connections.iter().map(|told| told.id).collect();
    told.sort_unstable();
    assert_eq!(told, ids);
    assert_eq!(house.changes_since(0).await.revision, 8);
}

#[tokio::test]
async fn a_credential_has_all_fields_in_plaintext() {
    let mut house = House::start().await;
    let id = house.create(1, &json!({"token": TOKEN, "second": "s\"ü", "size": 4})).await.unwrap().id;
    let issued = house.issue(id).await.unwrap();
    assert_eq!(issued.revision, 1);
    let fields = json!({"host": "mail.example.com", "token": TOKEN, "second": "s\"ü", "size": 4});
    assert_eq!(json(&issued.fields), fields);
}

#[tokio::test]
async fn an_update_keeps_secrets_that_are_not_named_or_sent_back_masked() {
    let mut house = House::start().await;
    let created = house.create(1, &json!({"token": TOKEN, "second": "other-long-secret"})).await.unwrap();
    let mut sent_back = json(&created.fields);
    sent_back["size"] = json!(9);
    house.update(1, created.id, &sent_back).await.unwrap();
    house.update(1, created.id, &json!({"second": "new-long-secret"})).await.unwrap();
    let issued = house.issue(created.id).await.unwrap();
    let fields = json!({"host": "mail.example.com", "token": TOKEN, "second": "new-long-secret", "size": 9});
    assert_eq!((json(&issued.fields), issued.revision), (fields, 3));
}

#[tokio::test]
async fn a_secret_that_is_cleared_is_gone() {
    let mut house = House::start().await;
    let id = house.create(1, &json!({"token": TOKEN, "second": "other-long-secret"})).await.unwrap().id;
    let cleared = house.update(1, id, &json!({"second": null})).await.unwrap();
    let shown = json!({"host": "mail.example.com", "token": "••tery"});
    assert_eq!(json(&cleared.fields), shown);
    assert_eq!(json(&house.issue(id).await.unwrap().fields), json!({"host": "mail.example.com", "token": TOKEN}));
}

#[tokio::test]
async fn no_credential_is_issued_for_what_is_not_there() {
    let mut house = House::start().await;
    assert_eq!(house.issue(1).await.unwrap_err().code, Code::NotFound);
    let id = house.create(1, &json!({"token": TOKEN})).await.unwrap().id;
    answered(house.public.delete(DeleteConnectionRequest { workspace_id: 1, id }).await).unwrap();
    assert_eq!(house.issue(id).await.unwrap_err().code, Code::NotFound);
}

#[tokio::test]
async fn a_refused_credential_is_marked_until_it_is_given_again() {
    let mut house = House::start().await;
    let id = house.create(1, &json!({"token": TOKEN})).await.unwrap().id;
    house.report(id, 1).await;
    assert_eq!(house.get(1, id).await.unwrap().status, "needs_reauthorization");
    assert_eq!(house.issue(id).await.unwrap_err().code, Code::FailedPrecondition);
    assert_eq!(house.changes_since(1).await.connections, [definition(id, 1, "needs_reauthorization", 2)]);

    house.update(1, id, &json!({"token": "another-long-token"})).await.unwrap();
    assert_eq!(house.get(1, id).await.unwrap().status, "active");
    assert_eq!(house.issue(id).await.unwrap().revision, 3);
}

#[tokio::test]
async fn a_refusal_of_an_older_credential_is_ignored() {
    let mut house = House::start().await;
    let id = house.create(1, &json!({"token": TOKEN})).await.unwrap().id;
    house.update(1, id, &json!({"token": "another-long-token"})).await.unwrap();
    house.report(id, 1).await;
    house.report(id + 1, 1).await;
    assert_eq!(house.get(1, id).await.unwrap().status, "active");
    assert_eq!(house.changes_since(2).await, ChangesSinceResponse { revision: 2, connections: Vec::new() });
}

#[tokio::test]
async fn hook_keys_survive_a_restart() {
    let mut house = House::start().await;
    let before = answered(house.internal.hook_keys(HookKeysRequest {}).await).unwrap();
    let [key] = before.keys.as_slice() else { panic!("{before:?}") };
    assert_eq!((key.generation, key.key.len()), (1, 32));
    let mut house = house.restart().await;
    assert_eq!(answered(house.internal.hook_keys(HookKeysRequest {}).await).unwrap(), before);
}
