//! Asking again for everything.

use patchbay_proto::catalog::v1::RefreshedList;
use serde_json::json;

use crate::house::{CLUB, House, OURS, SHOP, choices};

fn refreshed(list: &str, options: i64, error: &str) -> RefreshedList {
    RefreshedList { list: list.to_owned(), options, error: error.to_owned() }
}

#[tokio::test]
async fn asks_for_every_list_asked_before_and_those_that_depend_on_nothing() {
    let house = House::new().await;
    for store in [7, 8] {
        house.options(OURS, SHOP, "shelves", &json!({"store_id": store})).await.unwrap();
    }
    house.partner.asked();
    let lists = house.refresh(OURS, SHOP).await.unwrap();
    assert_eq!(lists, [refreshed("shelves", 2, ""), refreshed("stores", 2, "")]);
    let expected = ["/shelves?store=7", "/shelves?store=8", "/stores?page=1&per_page=2", "/stores?page=2&per_page=2"];
    assert_eq!(house.partner.asked(), expected);
}

#[tokio::test]
async fn a_fresh_list_is_asked_for_again() {
    let house = House::new().await;
    house.stores().await.unwrap();
    house.partner.has_stores(1);
    assert_eq!(house.refresh(OURS, SHOP).await.unwrap(), [refreshed("stores", 1, "")]);
    assert_eq!(house.stores().await.unwrap().options, choices(&[("1", "Store 1")]));
}

#[tokio::test]
async fn what_cannot_be_had_is_told_and_the_kept_list_stays() {
    let house = House::new().await;
    let before = house.stores().await.unwrap();
    house.partner.says(Some((503, json!({}))));
    let error = "Corner shop failed: the partner answered 503, a failure of its own; try again";
    assert_eq!(house.refresh(OURS, SHOP).await.unwrap(), [refreshed("stores", 0, error)]);
    assert_eq!(house.stores().await.unwrap(), before);
}

#[tokio::test]
async fn an_app_without_lists_has_nothing_to_refresh() {
    let house = House::new().await;
    assert_eq!(house.refresh(OURS, CLUB).await.unwrap(), []);
}
