//! The orders that are posted: distinct, and all of one size.

use bytes::Bytes;

/// Size of an order in bytes.
#[cfg(test)]
const ORDER_BYTES: usize = 341;

/// An order as JSON. Its number is told by `id`, and again in the addresses, so that all bodies are distinct.
pub(crate) fn body(number: u64) -> Bytes {
    format!(
        concat!(
            r#"{{"id":"{number:012}","placed_at":"2026-03-14T09:26:53Z","currency":"EUR","total":129.9,"#,
            r#""customer":{{"email":"ann.lee.{number:012}@shop.example","first_name":"Ann","last_name":"Lee","#,
            r#""city":"Perm"}},"#,
            r#""items":[{{"sku":"CUP-11","name":"Enamel cup","count":2,"price":14.95}},"#,
            r#"{{"sku":"TENT-2","name":"Tent","count":1,"price":100.0}}],"note":"ring twice"}}"#
        ),
        number = number
    )
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_is_json_of_the_same_size() {
        for number in [0, 7, 999_999_999_999] {
            let body = body(number);
            assert_eq!(body.len(), ORDER_BYTES);
            let order: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(order["id"], format!("{number:012}"));
        }
    }

    #[test]
    fn orders_differ() {
        assert_ne!(body(1), body(2));
    }
}
