//! A topic's thread that reads messages back from the segments: what did not fit into memory, and what was released. What was
//! released too often goes to the dead letters from here.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::letters::{Letters, Spent};
use super::queue::{Cursor, Entry};
use super::record::size_of;
use super::segment::{self, HEADER, Reader, Segment};
use super::topic_state::TopicState;
use crate::Error;

/// After a failure, before the next try.
const PAUSE: Duration = Duration::from_secs(1);
/// Released messages that are read back in one go.
const RELEASED_AT_ONCE: usize = 256;
/// Bytes of messages that become dead letters by one write, or one message that is larger.
const LETTERS_BYTES: usize = 1024 * 1024;

/// Works until it is told to stop.
pub(super) fn run(topic: &Arc<TopicState>, letters: &Letters) {
    while topic.reading.wait() {
        let outcome = recall(topic, letters).and_then(|()| refill(topic));
        let failed = outcome.is_err();
        if let Err(error) = outcome {
            let name = topic.topic.name();
            tracing::error!(topic = name, %error, "cannot read messages back; trying again");
            topic.queue().fail(error.to_string());
        }
        let more = topic.queue().wants_reading();
        topic.changed.notify_waiters();
        if more {
            topic.reading.raise();
        }
        if failed {
            topic.reading.pause(PAUSE);
        }
    }
}

/// Reads released messages back.
fn recall(topic: &TopicState, letters: &Letters) -> Result<(), Error> {
    let released = topic.queue().released(RELEASED_AT_ONCE);
    let mut all_spent = Vec::new();
    let mut bytes = 0;
    for (sequence, offset, segment) in released {
        let Some(entry) = read_one(topic, sequence, offset, segment)? else { continue };
        let mut queue = topic.queue();
        let Some((releases, limit)) = queue.is_spent(sequence) else {
            queue.recall(entry);
            continue;
        };
        drop(queue);
        bytes += size_of(&entry.message);
        all_spent.push(Spent { entry, releases, limit });
        if bytes >= LETTERS_BYTES {
            move_away(topic, letters, std::mem::take(&mut all_spent));
            bytes = 0;
        }
    }
    if !all_spent.is_empty() {
        move_away(topic, letters, all_spent);
    }
    Ok(())
}

/// Notes that messages are done when they are durable among the dead letters: a crash in between leaves them in both places.
/// Where that fails, they come back once more.
fn move_away(topic: &TopicState, letters: &Letters, all_spent: Vec<Spent>) {
    let kept = letters.keep(topic.topic, &all_spent);
    let count = all_spent.len();
    let name = topic.topic.name();
    match &kept {
        Ok(()) => tracing::warn!(topic = name, count, "messages came back too often and became dead letters"),
        Err(error) => {
            tracing::warn!(topic = name, count, %error, "dead letters can't be kept, so their messages come again")
        }
    }
    let mut queue = topic.queue();
    for Spent { entry, .. } in all_spent {
        match kept {
            Ok(()) => queue.moved_away(entry.sequence),
            Err(_) => queue.recall(entry),
        }
    }
    drop(queue);
    topic.saving.raise();
}

fn read_one(topic: &TopicState, sequence: u64, offset: u64, segment: Segment) -> Result<Option<Entry>, Error> {
    let path = segment::path(&topic.directory, segment.base);
    let mut reader = match Reader::open_at(path, offset, segment.bytes) {
        Ok(reader) => reader,
        // Discarded meanwhile.
        Err(error) if is_gone(&error) && topic.queue().is_acknowledged(sequence) => return Ok(None),
        Err(error) => return Err(error),
    };
    let found = match reader.next()? {
        Some((_, frame)) if frame.stamp.sequence == sequence => {
            frame.message().map(|message| (frame.stamp.accepted_at, message))
        }
        _ => None,
    };
    let Some((accepted_at, message)) = found else {
        return Err(reader.damaged("another record is here than was written"));
    };
    Ok(Some(Entry { sequence, offset, accepted_at, redelivered: true, message }))
}

/// Reads on where memory ended.
fn refill(topic: &TopicState) -> Result<(), Error> {
    let Some((cursor, room, segment)) = topic.queue().reading_place() else { return Ok(()) };
    match read_on(topic, cursor, room, segment) {
        Ok((entries, next)) => topic.queue().refill(cursor, entries, next),
        // The segment went away meanwhile, and the cursor with it.
        Err(error) if is_gone(&error) && topic.queue().is_acknowledged(cursor.sequence) => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Reads from the cursor to the end of its segment, or until there is no more room; at least one record.
fn read_on(topic: &TopicState, cursor: Cursor, room: usize, segment: Segment) -> Result<(Vec<Entry>, Cursor), Error> {
    let path = segment::path(&topic.directory, segment.base);
    let mut reader = Reader::open(path, cursor.offset, segment.bytes)?;
    let mut entries = Vec::new();
    let Cursor { mut sequence, mut accepted_at, .. } = cursor;
    let mut bytes = 0;
    while let Some((offset, frame)) = reader.next()? {
        if frame.stamp.sequence != sequence {
            return Err(reader.damaged("another record was here before"));
        }
        let size = frame.size();
        accepted_at = frame.stamp.accepted_at;
        if bytes > 0 && bytes + size > room {
            return Ok((entries, Cursor { sequence, base: segment.base, offset, accepted_at }));
        }
        if !topic.queue().is_acknowledged(sequence) {
            let Some(message) = frame.message() else { return Err(reader.damaged("a record can't be read")) };
            entries.push(Entry { sequence, offset, accepted_at, redelivered: false, message });
            bytes += size;
        }
        sequence += 1;
    }
    let here = Cursor { sequence, base: segment.base, offset: reader.offset(), accepted_at };
    // The segment may have grown since, or been followed by another.
    let next = match topic.queue().segment_of(sequence) {
        Some(next) if next.base != segment.base => {
            Cursor { sequence: sequence.max(next.base), base: next.base, offset: HEADER, accepted_at }
        }
        _ => here,
    };
    Ok((entries, next))
}

fn is_gone(error: &Error) -> bool {
    matches!(error, Error::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
}
