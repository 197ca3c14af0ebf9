//! Workspaces never see each other.

use patchbay_types::fault::Code;
use serde_json::json;

use crate::house::{FOREIGN, House, OURS, SHOP, THEIRS};

#[tokio::test]
async fn a_foreign_connection_does_not_exist() {
    let house = House::new().await;
    // Kept for its owner, which must make no difference.
    house.options(THEIRS, FOREIGN, "stores", &json!({})).await.unwrap();
    house.partner.asked();
    let issued = house.peers.issued();
    let faults = [
        house.options(OURS, FOREIGN, "stores", &json!({})).await.unwrap_err(),
        house.options(OURS, FOREIGN, "colours", &json!({})).await.unwrap_err(),
        house.options(OURS, 99, "stores", &json!({})).await.unwrap_err(),
        house.form(FOREIGN, &json!({})).await.unwrap_err(),
        house.form(-1, &json!({})).await.unwrap_err(),
        house.refresh(OURS, FOREIGN).await.unwrap_err(),
        house.refresh(THEIRS, SHOP).await.unwrap_err(),
    ];
    assert_eq!(faults.map(|fault| fault.code), [Code::NotFound; 7]);
    assert_eq!((house.partner.asked().len(), house.peers.issued()), (0, issued));
}

#[tokio::test]
async fn each_connection_has_lists_of_its_own() {
    let house = House::new().await;
    house.stores().await.unwrap();
    house.partner.has_stores(1);
    let theirs = house.options(THEIRS, FOREIGN, "stores", &json!({})).await.unwrap();
    assert_eq!(theirs.options.len(), 1);
    assert_eq!(house.stores().await.unwrap().options.len(), 2);
}
