//! Partners that can't be asked, and what is said about it.

use std::time::Duration;

use patchbay_catalog::Config;
use patchbay_types::fault::Code;
use serde_json::json;

use crate::house::{House, OURS, SHOP, choices};

#[tokio::test]
async fn a_form_comes_although_the_partner_is_down() {
    let house = House::new().await;
    house.partner.says(Some((503, json!({}))));
    let form = house.form(SHOP, &json!({"store_id": 7})).await.unwrap();
    let error = |name: &str| {
        let field = form.fields.iter().find(|field| field.name == name).unwrap();
        (field.options.len(), field.options_error.as_str())
    };
    let expected = "Corner shop failed: the partner answered 503, a failure of its own; try again";
    for name in ["store_id", "shelf", "cf__"] {
        assert_eq!(error(name), (0, expected), "{name}");
    }
    assert_eq!(error("colour"), (2, ""));
    assert_eq!(form.row_sections[0].fields[0].options_error, expected);
    assert_eq!(house.stores().await.unwrap_err().code, Code::Unavailable);
}

#[tokio::test]
async fn a_host_that_must_not_be_called_is_told_with_a_hint() {
    let house = House::new().await;
    house.peers.add(OURS, 8, "shop", "http://127.0.0.1:9", "good-token");
    let fault = house.options(OURS, 8, "stores", &json!({})).await.unwrap_err();
    assert_eq!(fault.code, Code::FailedPrecondition);
    assert!(fault.message.contains("the connection to Corner shop can't be used"), "{}", fault.message);
}

#[tokio::test]
async fn a_refused_credential_is_reported_to_its_owner() {
    let house = House::new().await;
    house.peers.set_token(SHOP, "stolen-token");
    let fault = house.stores().await.unwrap_err();
    assert_eq!(fault.code, Code::FailedPrecondition);
    let expected = "Corner shop does not take the connection's credential: who are you?; give the connection a new one";
    assert_eq!(fault.message, expected);
    assert_eq!(house.peers.status(SHOP), "needs_reauthorization");
    // From now on nobody tries the same credential.
    house.partner.asked();
    let field = house.field(&json!({}), "store_id").await;
    assert_eq!(field.options_error, "connection 5 is needs_reauthorization");
    assert_eq!(house.partner.asked().len(), 0);

    house.peers.add(OURS, SHOP, "shop", &format!("http://{}", house.partner.address), "good-token");
    assert_eq!(house.stores().await.unwrap().options.len(), 2);
}

#[tokio::test]
async fn a_partner_that_never_answers_is_given_up() {
    let house = House::with(Config { list_timeout: Duration::from_millis(200), ..Config::default() }).await;
    house.partner.hold();
    let fault = house.stores().await.unwrap_err();
    assert_eq!(fault.code, Code::Timeout);
    assert_eq!(fault.message, "Corner shop took longer than 200ms for this list; try again");
    house.partner.release();
    assert_eq!(house.stores().await.unwrap().options, choices(&[("1", "Store 1"), ("2", "Store 2")]));
}

#[tokio::test]
async fn a_partner_that_wants_fewer_calls_says_so() {
    let house = House::new().await;
    house.partner.says(Some((429, json!({}))));
    let fault = house.stores().await.unwrap_err();
    let expected = "Corner shop wants fewer calls; try again in a moment";
    assert_eq!((fault.code, fault.message.as_str()), (Code::TooMany, expected));
}

#[tokio::test]
async fn an_answer_that_is_no_list_is_told() {
    let house = House::new().await;
    for answer in [json!({"items": 7}), json!({"items": "text"}), json!({"items": {}})] {
        house.partner.says(Some((200, answer.clone())));
        let fault = house.stores().await.unwrap_err();
        assert_eq!(fault.code, Code::FailedPrecondition, "{answer}");
        assert!(fault.message.starts_with("Corner shop gave no list: "), "{}", fault.message);
    }
}

#[tokio::test]
async fn a_list_says_what_it_depends_on() {
    let house = House::new().await;
    for (input, message) in [
        (json!({}), "the list `shelves` depends on `store_id`; give its value"),
        (json!({"store_id": ""}), "the list `shelves` depends on `store_id`; give its value"),
        (json!({"store_id": "x"}), "expected a whole number, found `x`"),
    ] {
        let fault = house.options(OURS, SHOP, "shelves", &input).await.unwrap_err();
        let expected = (Code::InvalidArgument, message, Some("store_id"));
        assert_eq!((fault.code, fault.message.as_str(), fault.field.as_deref()), expected);
    }
    let fault = house.options(OURS, SHOP, "shelfs", &json!({})).await.unwrap_err();
    assert_eq!(fault.code, Code::NotFound);
    assert!(fault.message.starts_with("Corner shop has no list `shelfs`; there are "), "{}", fault.message);
}

#[tokio::test]
async fn without_the_connection_service_nothing_of_an_account_is_shown() {
    let house = House::new().await;
    house.stores().await.unwrap();
    house.peers.set_down(true);
    assert_eq!(house.stores().await.unwrap_err().code, Code::Unavailable);
    assert_eq!(house.form(SHOP, &json!({})).await.unwrap_err().code, Code::Unavailable);
    assert_eq!(house.refresh(OURS, SHOP).await.unwrap_err().code, Code::Unavailable);
    assert!(house.form(0, &json!({})).await.is_ok());
}
