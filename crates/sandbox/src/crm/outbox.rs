//! What webhooks have yet to hear, bounded in rows and bytes.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use axum::body::Bytes;
use patchbay_types::Timestamp;
use serde::Serialize;
use tokio::sync::Notify;

use crate::crm::contact::{Contact, ContactId};
use crate::crm::webhooks::Kind;
use crate::ring::ROWS_KEPT;

const DELIVERIES_LIMIT: usize = ROWS_KEPT;
const BYTES_LIMIT: usize = 256 * 1024 * 1024;

/// What is delivered in order: the events of one contact to one webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Lane {
    pub(crate) webhook: u64,
    pub(crate) contact: ContactId,
}

/// One event, the same for all webhooks and all tries.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    pub(crate) body: Bytes,
}

impl Event {
    /// The contact as it is now. With the time in it, the id is not given again by a sandbox that was started anew.
    pub(crate) fn new(number: u64, kind: Kind, contact: &Contact, now: Timestamp) -> Self {
        #[derive(Serialize)]
        struct Body<'a> {
            id: &'a str,
            #[serde(rename = "type")]
            kind: Kind,
            created_at: Timestamp,
            data: &'a Contact,
        }
        let id = format!("evt_{:014x}{number:06x}", now.as_micros());
        let body = serde_json::to_vec(&Body { id: &id, kind, created_at: now, data: contact }).unwrap_or_default();
        Self { id, kind, body: body.into() }
    }
}

/// The deliveries that wait or are under way.
#[derive(Debug)]
pub(crate) struct Outbox {
    lanes: HashMap<Lane, VecDeque<Arc<Event>>>,
    /// Lanes that nobody empties yet.
    opened: Vec<Lane>,
    deliveries: usize,
    bytes: usize,
    filled: Arc<Notify>,
}

impl Outbox {
    pub(crate) fn new() -> Self {
        Self { lanes: HashMap::new(), opened: Vec::new(), deliveries: 0, bytes: 0, filled: Arc::default() }
    }

    /// Notified when [`Self::take_opened`] has something.
    pub(crate) fn filled(&self) -> Arc<Notify> {
        Arc::clone(&self.filled)
    }

    /// Whether this many more deliveries of so many bytes each are remembered.
    pub(crate) fn has_room(&self, deliveries: usize, bytes: usize) -> bool {
        self.deliveries + deliveries <= DELIVERIES_LIMIT && self.bytes + deliveries * bytes <= BYTES_LIMIT
    }

    pub(crate) fn push(&mut self, lane: Lane, event: &Arc<Event>) {
        self.deliveries += 1;
        self.bytes += event.body.len();
        let events = self.lanes.entry(lane).or_default();
        events.push_back(Arc::clone(event));
        if events.len() == 1 {
            self.opened.push(lane);
            self.filled.notify_one();
        }
    }

    /// The lanes that were opened since the last call. Whoever takes one empties it.
    pub(crate) fn take_opened(&mut self) -> Vec<Lane> {
        std::mem::take(&mut self.opened)
    }

    /// What is to be delivered next, unless the lane is gone.
    pub(crate) fn first(&self, lane: Lane) -> Option<Arc<Event>> {
        self.lanes.get(&lane)?.front().cloned()
    }

    /// Done with the first event of a lane. Gives the next one; without one the lane is gone.
    pub(crate) fn settle(&mut self, lane: Lane) -> Option<Arc<Event>> {
        let events = self.lanes.get_mut(&lane)?;
        if let Some(event) = events.pop_front() {
            self.deliveries -= 1;
            self.bytes -= event.body.len();
        }
        let next = events.front().cloned();
        if next.is_none() {
            self.lanes.remove(&lane);
        }
        next
    }

    /// Forgets everything for one webhook.
    pub(crate) fn forget(&mut self, webhook: u64) {
        let Self { lanes, opened, deliveries, bytes, .. } = self;
        opened.retain(|lane| lane.webhook != webhook);
        lanes.retain(|lane, events| {
            let is_kept = lane.webhook != webhook;
            if !is_kept {
                *deliveries -= events.len();
                *bytes -= events.iter().map(|event| event.body.len()).sum::<usize>();
            }
            is_kept
        });
    }

    pub(crate) fn clear(&mut self) {
        self.lanes = HashMap::new();
        self.opened = Vec::new();
        self.deliveries = 0;
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str, size: usize) -> Arc<Event> {
        Arc::new(Event { id: id.to_owned(), kind: Kind::Created, body: vec![b'x'; size].into() })
    }

    fn lane(webhook: u64, contact: u64) -> Lane {
        Lane { webhook, contact: ContactId(contact) }
    }

    #[test]
    fn hands_a_lane_out_once_and_empties_it_in_order() {
        let mut outbox = Outbox::new();
        outbox.push(lane(1, 1001), &event("a", 1));
        outbox.push(lane(1, 1001), &event("b", 1));
        outbox.push(lane(1, 1002), &event("c", 1));

        assert_eq!(outbox.take_opened(), [lane(1, 1001), lane(1, 1002)]);
        assert_eq!(outbox.first(lane(1, 1001)).unwrap().id, "a");
        assert_eq!(outbox.settle(lane(1, 1001)).unwrap().id, "b");
        assert!(outbox.settle(lane(1, 1001)).is_none());
        assert_eq!(outbox.take_opened(), []);
        outbox.push(lane(1, 1001), &event("d", 1));
        assert_eq!(outbox.take_opened(), [lane(1, 1001)]);
    }

    #[test]
    fn has_room_again_for_what_it_forgot() {
        let mut outbox = Outbox::new();
        let half = BYTES_LIMIT / 2;
        outbox.push(lane(1, 1001), &event("a", half));
        outbox.push(lane(2, 1001), &event("a", half));
        assert!(!outbox.has_room(1, 1));

        outbox.forget(1);
        assert!(outbox.has_room(1, half) && !outbox.has_room(2, half));
        assert!(outbox.settle(lane(1, 1001)).is_none() && outbox.settle(lane(2, 1001)).is_none());
        assert!(outbox.has_room(DELIVERIES_LIMIT, 1) && !outbox.has_room(DELIVERIES_LIMIT + 1, 1));
    }
}
