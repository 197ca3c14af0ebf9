//! The suite that every adapter passes.

use crate::support::House;

async fn embedded() -> House {
    House::new(|options| options).await
}

patchbay_broker::broker_contract!(embedded);
