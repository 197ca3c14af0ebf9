//! The master keys at start.

use patchbay_connection::Error;
use patchbay_vault::MasterKey;
use serde_json::json;

use crate::house::{House, TOKEN, close, ring, try_start};

#[tokio::test]
async fn another_key_under_the_same_id_is_refused_with_both_fingerprints() {
    let folder = tempfile::tempdir().unwrap();
    let (right, wrong) = (MasterKey::generate("key").unwrap(), MasterKey::generate("key").unwrap());
    try_start(folder.path(), ring(&[&right])).await.unwrap();

    let error = try_start(folder.path(), ring(&[&wrong])).await.unwrap_err();
    assert!(matches!(error, Error::MasterKeyReplaced { .. }), "{error}");
    let message = error.to_string();
    assert!(message.contains(&right.fingerprint().to_string()), "{message}");
    assert!(message.contains(&wrong.fingerprint().to_string()), "{message}");
    assert!(message.contains("hint: "), "{message}");
    try_start(folder.path(), ring(&[&right])).await.unwrap();
}

#[tokio::test]
async fn a_ring_without_the_key_that_sealed_is_refused_with_both_fingerprints() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (MasterKey::generate("old").unwrap(), MasterKey::generate("new").unwrap());
    try_start(folder.path(), ring(&[&old])).await.unwrap();

    let error = try_start(folder.path(), ring(&[&new])).await.unwrap_err();
    assert!(matches!(error, Error::MasterKeyMissing { .. }), "{error}");
    let message = error.to_string();
    assert!(message.contains(&old.fingerprint().to_string()), "{message}");
    assert!(message.contains(&new.fingerprint().to_string()), "{message}");
    assert!(message.contains("hint: "), "{message}");
}

#[tokio::test]
async fn a_new_first_key_seals_and_the_old_one_still_opens() {
    let (old, new) = (MasterKey::generate("old").unwrap(), MasterKey::generate("new").unwrap());
    let mut house = House::start_in(tempfile::tempdir().unwrap(), ring(&[&old])).await;
    let first = house.create(1, &json!({"token": TOKEN})).await.unwrap().id;
    close(&house.ground).await;
    let House { folder, ground, .. } = house;
    drop(ground);

    let mut house = House::start_in(folder, ring(&[&new, &old])).await;
    let second = house.create(1, &json!({"token": TOKEN})).await.unwrap().id;
    house.issue(first).await.unwrap();
    house.issue(second).await.unwrap();
    close(&house.ground).await;
    let error = try_start(house.folder.path(), ring(&[&old])).await.unwrap_err();
    assert!(matches!(&error, Error::MasterKeyMissing { id, .. } if id == "new"), "{error}");
}

#[tokio::test]
async fn a_key_that_sealed_nothing_may_go() {
    let folder = tempfile::tempdir().unwrap();
    let (used, idle) = (MasterKey::generate("used").unwrap(), MasterKey::generate("idle").unwrap());
    try_start(folder.path(), ring(&[&used])).await.unwrap();
    try_start(folder.path(), ring(&[&idle, &used])).await.unwrap();
    try_start(folder.path(), ring(&[&used])).await.unwrap();
}
