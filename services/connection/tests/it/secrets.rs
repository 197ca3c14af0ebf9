//! Secrets stay secret, and a damaged one harms nobody else.

use std::{fs, path::Path};

use patchbay_store::Sql;
use patchbay_testing::{StoreKind, store_kind};
use patchbay_types::fault::Code;
use serde_json::json;

use crate::house::{House, TOKEN, close};

/// All files below a folder, as one.
fn everything_in(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            bytes.extend(everything_in(&path));
        } else {
            bytes.extend(fs::read(path).unwrap());
        }
    }
    bytes
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn no_file_ever_holds_a_secret() {
    if store_kind() != StoreKind::Sqlite {
        println!("skipped: the files of a server are not ours to read");
        return;
    }
    let mut house = House::start().await;
    let id = house.create(1, &json!({"host": "found.example.com", "token": TOKEN})).await.unwrap().id;
    house.update(1, id, &json!({"second": "another-long-secret"})).await.unwrap();
    house.issue(id).await.unwrap();

    let open = everything_in(house.folder.path());
    assert!(contains(&open, "found.example.com"), "the write-ahead log is read");
    close(&house.ground).await;
    for bytes in [open, everything_in(house.folder.path())] {
        for secret in [TOKEN, "another-long-secret", "battery", "horse"] {
            assert!(!contains(&bytes, secret), "{secret} is on disk");
        }
    }
}

#[tokio::test]
async fn a_damaged_secret_is_listed_and_found_out_when_it_is_needed() {
    let mut house = House::start().await;
    let damaged = house.create(1, &json!({"token": TOKEN})).await.unwrap();
    let sound = house.create(1, &json!({"token": TOKEN})).await.unwrap();
    house
        .execute("UPDATE connection_secrets SET sealed = substr(sealed, 1, length(sealed) - 1) WHERE connection_id = 1")
        .await;
    assert_eq!(house.list(1).await, [damaged.clone(), sound.clone()]);

    assert_eq!(house.issue(damaged.id).await.unwrap_err().code, Code::FailedPrecondition);
    assert_eq!(house.get(1, damaged.id).await.unwrap().status, "needs_reauthorization");
    house.issue(sound.id).await.unwrap();

    house.update(1, damaged.id, &json!({"token": TOKEN})).await.unwrap();
    house.issue(damaged.id).await.unwrap();
}

#[tokio::test]
async fn a_damaged_row_is_listed_as_in_need_of_a_person() {
    let mut house = House::start().await;
    let damaged = house.create(1, &json!({"token": TOKEN})).await.unwrap();
    let sound = house.create(1, &json!({"token": TOKEN})).await.unwrap();
    let damage = Sql::two(
        "UPDATE connection_connections SET fields = x'ff' WHERE id = 1",
        r"UPDATE connection_connections SET fields = '\xff' WHERE id = 1",
    );
    house.execute_either(damage).await;

    let listed = house.list(1).await;
    assert_eq!(listed[0].status, "needs_reauthorization");
    assert_eq!((listed[0].id, &listed[1]), (damaged.id, &sound));
    assert_eq!(house.issue(damaged.id).await.unwrap_err().code, Code::FailedPrecondition);

    house.update(1, damaged.id, &json!({"token": TOKEN})).await.unwrap();
    house.issue(damaged.id).await.unwrap();
}

#[tokio::test]
async fn a_secret_moved_to_another_workspace_does_not_open() {
    let mut house = House::start().await;
    let id = house.create(1, &json!({"token": TOKEN})).await.unwrap().id;
    house.execute("UPDATE connection_secrets SET workspace_id = 2").await;
    house.execute("UPDATE connection_connections SET workspace_id = 2").await;
    assert_eq!(house.issue(id).await.unwrap_err().code, Code::FailedPrecondition);
}
