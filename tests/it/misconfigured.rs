//! What an operator may get wrong, and what they are told.

use std::process::Stdio;

use crate::{
    house::{command, sandbox},
    mesh::{self, Ground, Mesh, free_address},
};

/// Runs a process that can't start. Its exit code, and what it says.
fn refused(mesh: &Mesh, arguments: &[&str], own: &[(&str, &str)]) -> (Option<i32>, String) {
    let owned: Vec<(String, String)> =
        own.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let any = "127.0.0.1:0";
    let listen = ["--listen", any, "--grpc-listen", any, "--admin-listen", any];
    let arguments = match arguments {
        ["serve", ..] => [arguments, &listen].concat(),
        _ => arguments.to_vec(),
    };
    let output =
        command(&arguments, &mesh.borrowed(&owned)).stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), said)
}

fn refuses(mesh: &Mesh, role: &str, own: &[(&str, &str)], code: i32, words: &[&str]) {
    let (found, said) = refused(mesh, &["serve", "--roles", role], own);
    assert_eq!(found, Some(code), "{own:?}: {said}");
    for word in words {
        assert!(said.contains(word), "{own:?} should say {word:?}: {said}");
    }
    for secret in ["wrong-password", "a token that only these processes know", "MDEyMzQ1Njc4"] {
        assert!(!said.contains(secret), "{own:?} tells {secret:?}: {said}");
    }
}

#[tokio::test]
async fn settings_that_can_never_work_are_named_before_anything_is_begun() {
    let sandbox = sandbox();
    let ground = Ground::shared();
    let mesh = Mesh::lay(&ground, &mesh::settings(&sandbox), &[]);
    let store = "PATCHBAY__STORE__URL";
    let broker = "PATCHBAY__BROKER__URL";
    refuses(&mesh, "gateway", &[(store, "sqlite:///tmp/x.db")], 2, &["store.url", "postgres://"]);
    refuses(&mesh, "gateway", &[(broker, "embedded:///tmp/x")], 2, &["broker.url", "amqp://"]);
    refuses(&mesh, "gateway", &[("PATCHBAY__SERVICE_AUTH__TOKEN", "")], 2, &["service_auth.token"]);
    refuses(&mesh, "connection", &[("PATCHBAY__VAULT__MASTER_KEYS", "[]")], 2, &["vault.master_keys"]);
    refuses(&mesh, "automation", &[("PATCHBAY__PEERS__CONNECTION", "")], 2, &["peers.connection", "automation"]);
    refuses(&mesh, "automation", &[("PATCHBAY__PEERS__CONNECTION", "http://10.1.2.3:80")], 2, &["TLS", "10.1.2.3"]);
    refuses(&mesh, "postman", &[], 2, &["postman", "action-executor"]);
    refuses(&mesh, "gateway", &[("PATCHBAY__BROKER__SPEED", "11")], 2, &["speed"]);
}

#[tokio::test]
async fn grounds_that_refuse_are_named_at_the_start() {
    let sandbox = sandbox();
    let ground = Ground::shared();
    let mesh = Mesh::lay(&ground, &mesh::settings(&sandbox), &[]);
    refuses(&mesh, "automation", &[], 1, &["automation", "patchbay migrate"]);
    let (code, said) = refused(&mesh, &["migrate", "--check"], &[]);
    assert_eq!(code, Some(1), "{said}");
    let migrated = command(&["migrate"], &mesh.borrowed(&[])).stdout(Stdio::null()).status().unwrap();
    assert!(migrated.success());
    assert_eq!(refused(&mesh, &["migrate", "--check"], &[]).0, Some(0));

    let (scheme, rest) = ground.broker.split_once("://").unwrap();
    let (user, place) = rest.rsplit_once('@').unwrap();
    let name = user.split(':').next().unwrap();
    let stranger = format!("{scheme}://{name}:wrong-password@{place}");
    let broker = "PATCHBAY__BROKER__URL";
    refuses(&mesh, "webhook-ingress", &[(broker, &stranger)], 1, &["broker.url", name]);
    let (address, _) = place.split_once('/').unwrap();
    let elsewhere = format!("{scheme}://{user}@{address}/no-such-vhost");
    refuses(&mesh, "webhook-ingress", &[(broker, &elsewhere)], 1, &["no-such-vhost"]);
    let (server, _) = ground.store.rsplit_once('/').unwrap();
    let store = "PATCHBAY__STORE__URL";
    refuses(&mesh, "automation", &[(store, &format!("{server}/no_such_database"))], 1, &["no_such_database"]);
}

#[tokio::test]
async fn what_may_come_yet_is_waited_for_and_named() {
    let sandbox = sandbox();
    let mut mesh = Mesh::start(&Ground::shared(), &mesh::settings(&sandbox), &[]).await;
    mesh.member("connection").kill();
    mesh.says("automation", "peer connection: degraded: can't be reached").await;
    mesh.run("connection");
    mesh.ready("automation").await;

    mesh.member("catalog").kill();
    mesh.set("catalog", "PATCHBAY__SERVICE_AUTH__TOKEN", "another token than the others have");
    mesh.run("catalog");
    mesh.says("catalog", "service_auth.token").await;
    let said = mesh.says("gateway", "service_auth.token").await;
    assert!(said.contains("peer catalog: "), "{said}");

    let nowhere = free_address();
    mesh.member("webhook-ingress").kill();
    mesh.set("webhook-ingress", "PATCHBAY__BROKER__URL", &format!("amqp://a:b@{nowhere}/v"));
    mesh.run("webhook-ingress");
    mesh.says("webhook-ingress", &nowhere).await;

    mesh.member("action-executor").kill();
    mesh.set("action-executor", "PATCHBAY__STORE__URL", &format!("postgres://a@{nowhere}/b"));
    mesh.run("action-executor");
    mesh.says("action-executor", "database: can't be reached").await;
    assert!(mesh.member("action-executor").is_running(), "it waits");
}
