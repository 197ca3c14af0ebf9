//! The contract of [`Broker`], case by case, for every adapter.
//!
//! An adapter's tests implement [`Subject`] and call [`broker_contract!`](crate::broker_contract), which makes one test a case.
//! Each case gets a subject of its own, whose topics are empty.

#![expect(clippy::unwrap_used, reason = "a suite of tests")]

mod closing;
mod delivering;
mod helpers;
mod redelivering;

use std::sync::Arc;

use async_trait::async_trait;

pub use closing::*;
pub use delivering::*;
pub use helpers::{acknowledge_until_empty, message, next, take, wait_until};
pub use redelivering::*;

use crate::Broker;

/// An adapter under test.
#[async_trait]
pub trait Subject: Send {
    /// The broker, the first time with empty topics.
    fn broker(&self) -> Arc<dyn Broker>;

    /// Ends the broker as a crash would, with nothing flushed, and opens it again.
    async fn crash(&mut self);

    /// Closes the broker well, and opens it again.
    async fn restart(&mut self);
}

/// One test a case of the contract: `broker_contract!(make)`, where `make` is an async function that gives a
/// [`Subject`](crate::contract::Subject).
#[macro_export]
macro_rules! broker_contract {
    ($make:path) => {
        $crate::broker_contract!($make:
            delivers_messages_whole,
            accepts_an_empty_list,
            keeps_topics_apart,
            gives_each_message_to_one_of_two_consumers,
            returns_what_is_there_without_waiting_to_fill_a_batch,
            returns_at_most_the_limit,
            waits_at_the_prefetch_for_a_settlement,
            loses_nothing_to_calls_that_are_dropped,
            delivers_each_message_of_many_publishers_once,
            tells_its_progress,
            redelivers_what_is_released,
            redelivers_what_is_dropped,
            redelivers_a_message_whole_whatever_its_holder_did_to_it,
            redelivers_what_a_dropped_consumer_held,
            keeps_what_was_published_through_a_crash,
            redelivers_what_was_unacknowledged_at_a_crash,
            never_delivers_again_what_was_acknowledged_before_a_restart,
            refuses_after_close,
            wakes_waiting_consumers_at_close,
        );
    };
    ($make:path: $($case:ident),* $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                $crate::contract::$case($make().await).await;
            }
        )*
    };
}
