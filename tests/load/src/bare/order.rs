//! Decodes an order and maps its fields for the partner.

use anyhow::{Context, Result};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
struct Order<'a> {
    id: &'a str,
    total: f64,
    #[serde(borrow)]
    customer: Customer<'a>,
}

#[derive(Debug, Deserialize)]
struct Customer<'a> {
    email: &'a str,
    first_name: &'a str,
    last_name: &'a str,
    city: &'a str,
}

#[derive(Debug, Serialize)]
struct Import<'a> {
    token: &'a str,
    db_id: u32,
    matching: &'a str,
    email: &'a str,
    data: Data<'a>,
}

#[derive(Debug, Serialize)]
struct Data<'a> {
    #[serde(rename = "_fname")]
    first_name: &'a str,
    #[serde(rename = "_lname")]
    last_name: &'a str,
    #[serde(rename = "_city")]
    city: &'a str,
    order_id: &'a str,
    order_total: f64,
}

/// The number of the order, and the body of the import.
pub(super) fn map(payload: &[u8]) -> Result<(i64, Bytes)> {
    let order: Order<'_> = serde_json::from_slice(payload).context("decode an order")?;
    let import = Import {
        token: "benchmark-token",
        db_id: 7,
        matching: "email",
        email: order.customer.email,
        data: Data {
            first_name: order.customer.first_name,
            last_name: order.customer.last_name,
            city: order.customer.city,
            order_id: order.id,
            order_total: order.total,
        },
    };
    let body = serde_json::to_vec(&import).context("write an import")?;
    Ok((order.id.parse().context("read the number of an order")?, body.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_five_fields_of_an_order() {
        let (number, body) = map(&crate::order::body(42)).unwrap();
        assert_eq!(number, 42);
        let import: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let expected = serde_json::json!({
            "token": "benchmark-token", "db_id": 7, "matching": "email", "email": "ann.lee.000000000042@shop.example",
            "data": {"_fname": "Ann", "_lname": "Lee", "_city": "Perm", "order_id": "000000000042", "order_total": 129.9},
        });
        assert_eq!(import, expected);
    }

    #[test]
    fn refuses_what_is_no_order() {
        for payload in ["", "{}", r#"{"id":"x"}"#] {
            assert!(map(payload.as_bytes()).is_err(), "{payload}");
        }
    }
}
