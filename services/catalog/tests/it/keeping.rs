//! How long lists are kept, and how often partners are asked.

use std::time::Duration;

use patchbay_catalog::Config;
use serde_json::json;

use crate::house::{House, OURS, PATIENCE, SHOP, TOKEN, choices};

const TWO: [(&str, &str); 2] = [("1", "Store 1"), ("2", "Store 2")];

#[tokio::test]
async fn a_kept_list_is_not_asked_for_again() {
    let house = House::new().await;
    let first = house.stores().await.unwrap();
    assert_eq!((first.options.clone(), first.truncated), (choices(&TWO), false));
    assert_eq!(house.partner.asked(), ["/stores?page=1&per_page=2", "/stores?page=2&per_page=2"]);
    house.partner.has_stores(1);
    assert_eq!(house.stores().await.unwrap(), first);
    assert_eq!((house.partner.asked().len(), house.peers.issued()), (0, 1));
}

#[tokio::test]
async fn a_stale_list_is_shown_while_one_refresh_runs() {
    let house = House::new().await;
    let first = house.stores().await.unwrap();
    house.partner.asked();
    house.partner.has_stores(1);
    house.partner.hold();
    house.ground.clock.advance(Duration::from_hours(2));
    for _ in 0..5 {
        assert_eq!(house.stores().await.unwrap(), first);
    }
    house.partner.release();
    let fresh = patchbay_testing::wait_for("the refreshed list", PATIENCE, || async {
        let now = house.stores().await.unwrap();
        (now.fetched_at > first.fetched_at).then_some(now)
    })
    .await;
    assert_eq!(fresh.options, choices(&TWO[..1]));
    assert_eq!(house.partner.asked(), ["/stores?page=1&per_page=2"]);
}

#[tokio::test]
async fn a_stale_list_is_shown_while_the_partner_is_down() {
    let house = House::new().await;
    let first = house.stores().await.unwrap();
    house.partner.asked();
    house.partner.says(Some((503, json!({}))));
    house.ground.clock.advance(Duration::from_hours(2));
    assert_eq!(house.stores().await.unwrap(), first);
    house.partner.was_asked(1).await;
    assert_eq!(house.stores().await.unwrap(), first);
    assert_eq!(house.field(&json!({}), "store_id").await.options_error, "");
}

#[tokio::test]
async fn many_who_need_a_list_ask_for_it_once() {
    let house = House::new().await;
    house.partner.has_stores(1);
    house.partner.hold();
    let asking = (0..20).map(|_| house.stores());
    let (answers, ()) = tokio::join!(futures_util::future::join_all(asking), async {
        house.partner.was_asked(1).await;
        house.partner.release();
    });
    for answer in answers {
        assert_eq!(answer.unwrap().options, choices(&TWO[..1]));
    }
    assert_eq!(house.partner.asked(), ["/stores?page=1&per_page=2"]);
}

#[tokio::test]
async fn a_list_arrives_although_its_caller_goes_away() {
    let house = House::new().await;
    house.partner.hold();
    tokio::select! {
        _ = house.stores() => panic!("the partner holds it"),
        () = house.partner.was_asked(1) => {}
    }
    house.partner.release();
    patchbay_testing::wait_for("the list to be kept", PATIENCE, || async {
        (!house.kept().await.is_empty()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn each_input_has_a_list_of_its_own_whatever_its_spelling() {
    let house = House::new().await;
    for input in [json!({"store_id": 7}), json!({"store_id": "7"}), json!({"store_id": 7, "other": 1})] {
        let found = house.options(OURS, SHOP, "shelves", &input).await.unwrap();
        assert_eq!(found.options, choices(&[("7-a", "First shelf of 7")]));
    }
    let other = house.options(OURS, SHOP, "shelves", &json!({"store_id": 8})).await.unwrap();
    assert_eq!(other.options, choices(&[("8-a", "First shelf of 8")]));
    assert_eq!(house.partner.asked(), ["/shelves?store=7", "/shelves?store=8"]);
}

#[tokio::test]
async fn a_changed_connection_is_asked_anew() {
    let house = House::new().await;
    house.stores().await.unwrap();
    house.options(OURS, SHOP, "shelves", &json!({"store_id": 7})).await.unwrap();
    house.partner.has_stores(1);
    house.peers.set_token(SHOP, TOKEN);
    assert_eq!(house.stores().await.unwrap().options, choices(&TWO[..1]));
    // What belonged to the old credential is gone.
    assert_eq!(house.kept().await, [(SHOP, "stores".to_owned())]);
}

#[tokio::test]
async fn the_lists_of_a_deleted_connection_are_dropped() {
    let config = Config { sweep_every: Duration::from_millis(20), ..Config::default() };
    let house = House::with(config).await;
    house.stores().await.unwrap();
    assert_eq!(house.kept().await.len(), 1);
    house.peers.set_status(SHOP, "deleted");
    patchbay_testing::wait_for("the lists to be dropped", PATIENCE, || async {
        house.kept().await.is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_list_ends_at_its_bounds_of_pages_and_options() {
    let house = House::new().await;
    house.partner.has_stores(100);
    let found = house.stores().await.unwrap();
    assert_eq!((found.options.len(), found.truncated), (6, true));
    assert_eq!(house.partner.asked().len(), 3);
    let house = House::new().await;
    house.partner.has_stores(5);
    let found = house.stores().await.unwrap();
    assert_eq!((found.options.len(), found.truncated), (5, false));
    assert_eq!(house.partner.asked().len(), 3);
    let house = House::with(Config { max_options: 3, ..Config::default() }).await;
    house.partner.has_stores(100);
    let found = house.stores().await.unwrap();
    assert_eq!((found.options.len(), found.truncated), (3, true));
    assert_eq!(house.partner.asked().len(), 2);
}

#[tokio::test]
async fn only_the_lists_asked_for_last_are_kept() {
    let house = House::new().await;
    for store in 1..=203 {
        house.options(OURS, SHOP, "shelves", &json!({"store_id": store})).await.unwrap();
    }
    assert_eq!(house.kept().await.len(), 200);
    house.partner.asked();
    for store in [1, 203] {
        house.options(OURS, SHOP, "shelves", &json!({"store_id": store})).await.unwrap();
    }
    assert_eq!(house.partner.asked(), ["/shelves?store=1"]);
}

#[tokio::test]
async fn a_fixed_list_asks_nobody() {
    let house = House::new().await;
    let found = house.options(OURS, SHOP, "colours", &json!({})).await.unwrap();
    assert_eq!((found.options, found.fetched_at), (choices(&[("red", "Red"), ("blue", "blue")]), 0));
    assert_eq!(house.partner.asked().len(), 0);
}

#[tokio::test]
async fn no_secret_is_stored() {
    let house = House::new().await;
    let items = json!({"items": [{"id": 1, "name": format!("made with {TOKEN}")}, {"id": TOKEN, "name": "odd"}]});
    house.partner.says(Some((200, items)));
    let found = house.stores().await.unwrap();
    assert_eq!(found.options, choices(&[("1", "made with ***")]));
}
