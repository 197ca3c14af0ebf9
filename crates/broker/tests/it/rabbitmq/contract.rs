//! The suite that every adapter passes.

use super::support::House;

async fn rabbitmq() -> House {
    House::new().await
}

patchbay_broker::broker_contract!(rabbitmq, tenants);
