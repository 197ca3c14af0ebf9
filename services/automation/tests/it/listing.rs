//! Pages of automations.

use patchbay_types::fault::Code;
use serde_json::json;

use crate::house::{House, OURS, refusal, welcome, welcome_with};

#[tokio::test]
async fn lists_the_newest_first_by_pages() {
    let house = House::open().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.insert(0, house.create(&welcome()).await.unwrap().id);
    }
    let mut listed = Vec::new();
    let mut before = Vec::new();
    let mut pages = 0;
    loop {
        let page = house.list(OURS, &before, 2).await.unwrap();
        pages += 1;
        listed.extend(page.automations.into_iter().map(|automation| automation.id));
        before = page.next_before_id.to_vec();
        if before.is_empty() {
            break;
        }
    }
    assert_eq!((listed, pages), (ids, 3));
}

#[tokio::test]
async fn a_full_last_page_has_no_next_one() {
    let house = House::open().await;
    for _ in 0..2 {
        house.create(&welcome()).await.unwrap();
    }
    let page = house.list(OURS, &[], 2).await.unwrap();
    assert_eq!((page.automations.len(), page.next_before_id.len()), (2, 0));
}

#[tokio::test]
async fn a_page_of_large_automations_is_shorter() {
    let house = House::open().await;
    let data = json!({ "note": "x".repeat(200_000) });
    let large = welcome_with("/steps/0/input/data", data);
    for _ in 0..12 {
        house.create(&large).await.unwrap();
    }
    let first = house.list(OURS, &[], 200).await.unwrap();
    let second = house.list(OURS, &first.next_before_id, 200).await.unwrap();
    assert_eq!((first.automations.len(), second.automations.len(), second.next_before_id.len()), (10, 2, 0));
}

#[tokio::test]
async fn refuses_what_is_no_id() {
    let house = House::open().await;
    assert_eq!(refusal(house.list(OURS, b"short", 0).await), (Code::InvalidArgument, Some("before_id".to_owned())));
    assert_eq!(refusal(house.get(b"").await), (Code::InvalidArgument, Some("id".to_owned())));
}
