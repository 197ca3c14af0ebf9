//! The contract of [`Broker`], case by case, for every adapter.
//!
//! An adapter's tests implement [`Subject`] and call [`broker_contract!`](crate::broker_contract), which makes one test a case.
//! Each case gets a subject of its own, whose topics are empty.

#![expect(clippy::unwrap_used, reason = "a suite of tests")]

mod bounds;
mod closing;
mod crashing;
mod delivering;
mod helpers;
mod poison;
mod redelivering;
mod tenants;

use std::sync::Arc;

use async_trait::async_trait;

pub use bounds::*;
pub use closing::*;
pub use crashing::*;
pub use delivering::*;
pub use helpers::{acknowledge_until_empty, expect_nothing, message, next, take, wait_until};
pub use poison::*;
pub use redelivering::*;
pub use tenants::*;

use crate::Broker;

/// An adapter under test.
#[async_trait]
pub trait Subject: Send {
    /// The broker, the first time with empty topics.
    fn broker(&self) -> Arc<dyn Broker>;

    /// How often a message comes back before it is moved to the dead letters.
    fn delivery_limit(&self) -> u32;

    /// Two tenants that do not wait for each other, of a broker that can do so.
    fn tenants(&self) -> (i64, i64) {
        (1, 2)
    }

    /// Ends the broker as a crash would, with nothing flushed, and opens it again. May be called while others publish and read:
    /// what [`broker`](Self::broker) gave before confirms nothing from then on, or is the one that is open again.
    async fn crash(&mut self);

    /// Closes the broker well, and opens it again.
    async fn restart(&mut self);
}

/// One test a case of the contract: `broker_contract!(make)`, where `make` is an async function that gives a
/// [`Subject`](crate::contract::Subject). `broker_contract!(make, tenants)` adds what not every broker can: that tenants do not
/// wait for each other.
#[macro_export]
macro_rules! broker_contract {
    ($make:path) => {
        $crate::broker_contract!($make:
            delivers_messages_whole,
            accepts_an_empty_list,
            keeps_topics_apart,
            keeps_tenant_and_route_to_itself,
            gives_each_message_to_one_of_two_consumers,
            returns_what_is_there_without_waiting_to_fill_a_batch,
            returns_at_most_the_limit,
            waits_at_the_prefetch_for_a_settlement,
            loses_nothing_to_calls_that_are_dropped,
            delivers_each_message_of_many_publishers_once,
            tells_its_progress,
            delivers_large_messages_whole,
            a_slow_consumer_holds_up_only_itself,
            redelivers_what_is_released,
            redelivers_what_is_dropped,
            redelivers_a_message_whole_whatever_its_holder_did_to_it,
            redelivers_what_a_dropped_consumer_held,
            keeps_what_was_published_through_a_crash,
            redelivers_what_was_unacknowledged_at_a_crash,
            never_delivers_again_what_was_acknowledged_before_a_restart,
            delivers_all_that_was_confirmed_around_a_crash_under_load,
            moves_what_comes_back_too_often_to_the_dead_letters,
            never_gives_up_a_dead_letter,
            refuses_after_close,
            wakes_waiting_consumers_at_close,
            is_healthy_until_it_is_closed,
        );
    };
    ($make:path, tenants) => {
        $crate::broker_contract!($make);
        $crate::broker_contract!($make: delivers_one_tenant_soon_behind_the_backlog_of_another);
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
