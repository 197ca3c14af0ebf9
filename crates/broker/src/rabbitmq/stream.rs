//! What comes on the channel of a consumer, from all its queues.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::Stream;
use lapin::message::Delivery;
use lapin::types::ShortString;
use lapin::{Channel, Consumer};

use super::fault::{Fault, words_of};

/// Deliveries of a lane that are taken at once.
const AT_ONCE: usize = 64;

/// How a stream of deliveries ended.
pub(super) enum Ended {
    Failed(lapin::Error),
    /// The broker cancelled it: its queue was deleted.
    Cancelled(ShortString),
}

impl Ended {
    pub(super) fn fault(self, channel: &Channel) -> Fault {
        match self {
            Self::Failed(error) => Fault::Passing(words_of(&error)),
            Self::Cancelled(queue) if channel.status().connected() => {
                Fault::Passing(format!("queue {queue} was deleted, it is declared again"))
            }
            Self::Cancelled(_) => Fault::Passing("the channel was closed".into()),
        }
    }
}

/// Takes what has come, from each lane a share.
pub(super) fn poll_deliveries(
    consumers: &mut [Consumer],
    taken: &mut Vec<(usize, Delivery)>,
    context: &mut Context<'_>,
) -> Poll<Option<Ended>> {
    for (lane, consumer) in consumers.iter_mut().enumerate() {
        for _ in 0..AT_ONCE {
            match Pin::new(&mut *consumer).poll_next(context) {
                Poll::Ready(Some(Ok(delivery))) => taken.push((lane, delivery)),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Ended::Failed(error))),
                Poll::Ready(None) => return Poll::Ready(Some(Ended::Cancelled(consumer.queue()))),
                Poll::Pending => break,
            }
        }
    }
    match taken.is_empty() {
        true => Poll::Pending,
        false => Poll::Ready(None),
    }
}
