//! What a topic's consumers are to receive, and what they have: the state behind the topic's mutex. Pure memory.

use std::collections::{BTreeMap, VecDeque};

use super::acknowledged::Acknowledged;
use super::record::size_of;
use super::segment::{HEADER, Segment};
use crate::{Message, Progress, Receipt};

/// A message on disk and in memory, ready to be delivered.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) sequence: u64,
    /// Where its record begins in its segment.
    pub(super) offset: u64,
    pub(super) accepted_at: u64,
    pub(super) redelivered: bool,
    pub(super) message: Message,
}

/// A record that is not in memory: it and all behind it are read back when their turn comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) sequence: u64,
    /// First sequence of its segment.
    pub(super) base: u64,
    pub(super) offset: u64,
    /// When it, or a message shortly before it, was accepted.
    pub(super) accepted_at: u64,
}

/// What one write brought to disk.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) segment: Segment,
    pub(super) first: u64,
    pub(super) accepted_at: u64,
    /// Where the first record begins in the segment.
    pub(super) offset: u64,
}

#[derive(Debug)]
pub(super) struct Queue {
    /// Never delivered in this life, in order.
    ready: VecDeque<Entry>,
    /// Released and read back; delivered before the others.
    recalled: BTreeMap<u64, Entry>,
    /// Released and not yet read back: where the records begin.
    released: BTreeMap<u64, u64>,
    /// How often each open message was released in this life, if at all.
    releases: BTreeMap<u64, u32>,
    /// How often it may be.
    delivery_limit: Option<u32>,
    /// Bytes of `ready` and `recalled`.
    bytes: usize,
    /// How many bytes these may have.
    share: usize,
    /// The first message behind `ready`, when it is on disk only.
    behind: Option<Cursor>,
    /// One past the last message.
    end: u64,
    /// Messages below were there before this life.
    reopened_at: u64,
    acknowledged: Acknowledged,
    /// Whether `acknowledged` is ahead of its file.
    unsaved: bool,
    in_flight: u64,
    /// In order; the last one is being written.
    segments: VecDeque<Segment>,
    consumers: usize,
    closed: bool,
    /// Why reading back fails at present.
    failure: Option<String>,
}

impl Queue {
    /// The state after the files were read: nothing in memory, `behind` at the first message to deliver.
    pub(super) fn new(
        share: usize,
        delivery_limit: Option<u32>,
        segments: VecDeque<Segment>,
        acknowledged: Acknowledged,
        behind: Option<Cursor>,
    ) -> Self {
        let end = segments.back().map_or(0, |newest| newest.end);
        Self {
            ready: VecDeque::new(),
            recalled: BTreeMap::new(),
            released: BTreeMap::new(),
            releases: BTreeMap::new(),
            delivery_limit,
            bytes: 0,
            share,
            behind,
            end,
            reopened_at: end,
            acknowledged,
            unsaved: false,
            in_flight: 0,
            segments,
            consumers: 0,
            closed: false,
            failure: None,
        }
    }

    /// Takes over what was synced.
    pub(super) fn commit(&mut self, group: &Group, messages: impl Iterator<Item = Message>) {
        match self.segments.back_mut() {
            Some(last) if last.base == group.segment.base => *last = group.segment,
            _ => self.segments.push_back(group.segment),
        }
        self.end = group.segment.end;
        let mut offset = group.offset;
        for (sequence, message) in (group.first..).zip(messages) {
            if self.behind.is_some() {
                return;
            }
            let size = size_of(&message);
            let accepted_at = group.accepted_at;
            if self.consumers == 0 || self.bytes + size > self.share {
                self.behind = Some(Cursor { sequence, base: group.segment.base, offset, accepted_at });
                return;
            }
            self.bytes += size;
            // What was read back has neither.
            let message = Message { tenant: 0, route: String::new(), ..message };
            self.ready.push_back(Entry { sequence, offset, accepted_at, redelivered: false, message });
            offset += size as u64;
        }
    }

    /// The next deliveries, at most `limit`.
    pub(super) fn take(&mut self, limit: usize) -> Vec<Entry> {
        let count = limit.min(self.recalled.len() + self.ready.len());
        let mut taken = Vec::with_capacity(count);
        while taken.len() < count {
            let next = self.recalled.pop_first().map(|(_, entry)| entry).or_else(|| self.ready.pop_front());
            let Some(entry) = next else { break };
            self.bytes -= size_of(&entry.message);
            taken.push(entry);
        }
        self.in_flight += taken.len() as u64;
        taken
    }

    /// Whether the reader has something to read back now.
    pub(super) fn wants_reading(&self) -> bool {
        let room = self.bytes <= self.share / 2;
        room && (!self.released.is_empty() || (self.behind.is_some() && self.consumers > 0))
    }

    /// Where reading goes on, how many bytes are welcome, and the segment; nothing when memory is full enough.
    pub(super) fn reading_place(&self) -> Option<(Cursor, usize, Segment)> {
        let cursor = self.behind.filter(|_| self.consumers > 0 && self.bytes <= self.share / 2)?;
        Some((cursor, self.share - self.bytes, self.segment_of(cursor.sequence)?))
    }

    /// Released messages to read back next, in order, with the segment of each.
    pub(super) fn released(&self, limit: usize) -> Vec<(u64, u64, Segment)> {
        let found = |(sequence, offset): (&u64, &u64)| Some((*sequence, *offset, self.segment_of(*sequence)?));
        self.released.iter().take(limit).filter_map(found).collect()
    }

    /// The segment that holds a message, or the next one behind it.
    pub(super) fn segment_of(&self, sequence: u64) -> Option<Segment> {
        let index = self.segments.partition_point(|segment| segment.end <= sequence);
        self.segments.get(index).copied()
    }

    /// Takes over what was read from `from`; `next` is where reading goes on. Nothing, when `from` was left meanwhile.
    pub(super) fn refill(&mut self, from: Cursor, read: Vec<Entry>, next: Cursor) {
        if self.behind.is_none_or(|behind| behind.sequence != from.sequence) {
            return;
        }
        self.behind = (next.sequence < self.end).then_some(next);
        for mut entry in read {
            entry.redelivered = entry.sequence < self.reopened_at;
            self.bytes += size_of(&entry.message);
            self.ready.push_back(entry);
        }
    }

    /// Takes over a released message that was read back.
    pub(super) fn recall(&mut self, mut entry: Entry) {
        if self.released.remove(&entry.sequence).is_none() {
            return;
        }
        entry.redelivered = true;
        self.bytes += size_of(&entry.message);
        self.recalled.insert(entry.sequence, entry);
    }

    /// Whether `sequence` is done already.
    pub(super) fn is_acknowledged(&self, sequence: u64) -> bool {
        self.acknowledged.contains(sequence)
    }

    /// Whether this is the first change since acknowledgements were last saved.
    pub(super) fn acknowledge(&mut self, receipts: &[Receipt]) -> bool {
        self.in_flight = self.in_flight.saturating_sub(receipts.len() as u64);
        for receipt in receipts {
            self.acknowledged.insert(receipt.number);
        }
        if !self.releases.is_empty() {
            for receipt in receipts {
                self.releases.remove(&receipt.number);
            }
        }
        !std::mem::replace(&mut self.unsaved, true)
    }

    pub(super) fn release(&mut self, receipt: Receipt) {
        self.in_flight = self.in_flight.saturating_sub(1);
        if self.acknowledged.contains(receipt.number) {
            return;
        }
        self.released.insert(receipt.number, receipt.position);
        if self.delivery_limit.is_some() {
            let releases = self.releases.entry(receipt.number).or_default();
            *releases = releases.saturating_add(1);
        }
    }

    /// How often a message was released, and how often it may be, when that is less.
    pub(super) fn is_spent(&self, sequence: u64) -> Option<(u32, u32)> {
        let (releases, limit) = (*self.releases.get(&sequence)?, self.delivery_limit?);
        (releases > limit).then_some((releases, limit))
    }

    /// A released message is on another topic now.
    pub(super) fn moved_away(&mut self, sequence: u64) {
        self.released.remove(&sequence);
        self.releases.remove(&sequence);
        self.acknowledged.insert(sequence);
        self.unsaved = true;
    }

    /// Lets the oldest whole segments go, unread, while there are more than `bound` bytes. Whether any went.
    pub(super) fn discard_beyond(&mut self, bound: u64) -> bool {
        let mut excess = self.bytes_on_disk().saturating_sub(bound);
        let mut floor = 0;
        for segment in self.segments.iter().take(self.segments.len().saturating_sub(1)) {
            if excess == 0 {
                break;
            }
            floor = segment.end;
            excess = excess.saturating_sub(segment.bytes);
        }
        if floor <= self.acknowledged.below() {
            return false;
        }
        self.acknowledged.raise(floor);
        self.unsaved = true;
        while let Some(entry) = self.ready.pop_front_if(|entry| entry.sequence < floor) {
            self.bytes -= size_of(&entry.message);
        }
        self.released = self.released.split_off(&floor);
        self.releases = self.releases.split_off(&floor);
        let kept = self.recalled.split_off(&floor);
        self.bytes -= self.recalled.values().map(|entry| size_of(&entry.message)).sum::<usize>();
        self.recalled = kept;
        if self.behind.is_some_and(|behind| behind.sequence < floor) {
            self.behind = self.begin_of_segment(floor);
        }
        true
    }

    /// The begin of the segment that holds a message or is the next behind it.
    fn begin_of_segment(&self, sequence: u64) -> Option<Cursor> {
        let Segment { base, first_accepted_at, .. } = self.segment_of(sequence)?;
        Some(Cursor { sequence: base, base, offset: HEADER, accepted_at: first_accepted_at })
    }

    /// What must be saved now, if anything changed since the last call.
    pub(super) fn take_unsaved(&mut self) -> Option<Acknowledged> {
        std::mem::take(&mut self.unsaved).then(|| self.acknowledged.clone())
    }

    /// Saving failed; it is to be tried again.
    pub(super) fn mark_unsaved(&mut self) {
        self.unsaved = true;
    }

    /// Segments that may go when `saved` is on disk; never the one being written.
    pub(super) fn finished(&self, saved: &Acknowledged) -> Vec<u64> {
        let closed = self.segments.iter().take(self.segments.len().saturating_sub(1));
        closed.filter(|segment| saved.covers(segment.base, segment.end)).map(|segment| segment.base).collect()
    }

    /// The file of a segment is gone.
    pub(super) fn forget(&mut self, base: u64) {
        self.segments.retain(|segment| segment.base != base);
        // All of it is done, so reading goes on with the next one.
        if let Some(behind) = self.behind.filter(|behind| behind.base == base) {
            self.behind = self.begin_of_segment(behind.sequence);
        }
    }

    pub(super) fn bytes_on_disk(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    /// Microseconds since 1970 at which the oldest waiting message was accepted.
    fn oldest_undelivered(&self) -> Option<u64> {
        let recalled = self.recalled.first_key_value().map(|(_, entry)| entry.accepted_at);
        let ready = self.ready.front().map(|entry| entry.accepted_at);
        let behind = self.behind.map(|cursor| cursor.accepted_at);
        recalled.into_iter().chain(ready).chain(behind).min()
    }

    pub(super) fn progress(&self, now: u64) -> Progress {
        let undelivered = self.acknowledged.open_below(self.end).saturating_sub(self.in_flight);
        let oldest = self.oldest_undelivered().filter(|_| undelivered > 0);
        Progress {
            undelivered,
            unacknowledged: self.in_flight,
            oldest_undelivered_age: oldest.map(|at| std::time::Duration::from_micros(now.saturating_sub(at))),
            bytes_on_disk: self.bytes_on_disk(),
        }
    }

    pub(super) fn join(&mut self) {
        self.consumers += 1;
    }

    pub(super) fn leave(&mut self) {
        self.consumers -= 1;
    }

    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Reading back failed; consumers are told once.
    pub(super) fn fail(&mut self, why: String) {
        self.failure = Some(why);
    }

    pub(super) fn take_failure(&mut self) -> Option<String> {
        self.failure.take()
    }
}
