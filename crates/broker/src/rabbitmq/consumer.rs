//! A consumer as its owner sees it.

use std::sync::Arc;

use async_trait::async_trait;

use super::shelf::Shelf;
use crate::{Consumer, Delivery, Error};

/// Dropping it cancels it at the broker.
#[derive(Debug)]
pub(super) struct RabbitConsumer {
    pub(super) shelf: Arc<Shelf>,
}

#[async_trait]
impl Consumer for RabbitConsumer {
    async fn next_batch(&mut self, limit: usize) -> Result<Vec<Delivery>, Error> {
        self.shelf.next(limit).await
    }
}

impl Drop for RabbitConsumer {
    fn drop(&mut self) {
        self.shelf.leave();
    }
}
