//! The one thread that writes: it takes what publishers have queued, brings it to disk as one group a topic, and answers.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::log::{Failure, Log};
use super::options::Options;
use super::queue::Group;
use super::record::{self, Stamp};
use super::topic_state::TopicState;
use crate::{Message, PublishError};

/// A group closes at this size, or when nothing more is queued.
const GROUP_BYTES: usize = 4 * 1024 * 1024;

#[derive(Debug)]
pub(super) enum Command {
    Publish(Request),
    /// Answer what came before, then end.
    Close,
}

#[derive(Debug)]
pub(super) struct Request {
    pub(super) topic: Arc<TopicState>,
    pub(super) messages: Vec<Message>,
    pub(super) answer: oneshot::Sender<Result<(), PublishError>>,
}

/// A topic as the writer sees it.
#[derive(Debug)]
pub(super) struct Lane {
    topic: Arc<TopicState>,
    log: Log,
    /// The group that is being collected.
    records: Vec<u8>,
    requests: Vec<Request>,
    next: u64,
}

/// A sync failed, and a test's disk survived it.
struct Stop;

#[derive(Debug)]
pub(super) struct Writer {
    options: Options,
    commands: mpsc::Receiver<Command>,
    lanes: Vec<Lane>,
}

impl Lane {
    pub(super) fn new(topic: Arc<TopicState>, log: Log) -> Self {
        Self { topic, next: log.next_sequence(), log, records: Vec::new(), requests: Vec::new() }
    }

    fn add(&mut self, request: Request, accepted_at: u64) -> usize {
        let before = self.records.len();
        let group = self.log.next_sequence();
        for message in &request.messages {
            record::encode(&mut self.records, Stamp { sequence: self.next, group, accepted_at }, message);
            self.next += 1;
        }
        self.requests.push(request);
        self.records.len() - before
    }
}

impl Writer {
    pub(super) fn new(options: Options, commands: mpsc::Receiver<Command>, lanes: Vec<Lane>) -> Self {
        Self { options, commands, lanes }
    }

    /// Works until it is told to close, or nobody is left who could publish.
    pub(super) fn run(mut self) {
        let smallest_segment = self.lanes.iter().map(|lane| self.options.segment_bytes_of(lane.topic.topic)).min();
        let group_bytes = smallest_segment.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(GROUP_BYTES);
        let group_bytes = group_bytes.min(GROUP_BYTES);
        while let Some(first) = self.commands.blocking_recv() {
            let accepted_at = self.options.now_micros();
            let mut bytes = 0;
            let mut next = Some(first);
            let mut closing = false;
            while let Some(command) = next {
                let Command::Publish(request) = command else {
                    closing = true;
                    break;
                };
                bytes += self.collect(request, accepted_at);
                if bytes >= group_bytes {
                    break;
                }
                next = self.commands.try_recv().ok();
            }
            if self.commit(accepted_at).is_err() {
                return;
            }
            if closing {
                break;
            }
        }
        self.refuse_the_rest();
        for lane in &mut self.lanes {
            // Else the next life does it.
            drop(lane.log.cut_tail());
        }
    }

    fn collect(&mut self, request: Request, accepted_at: u64) -> usize {
        let topic = request.topic.topic;
        let lane = self.lanes.iter_mut().find(|lane| lane.topic.topic == topic);
        // Every topic has a lane; without one the request is dropped, which its publisher sees as unavailable.
        lane.map_or(0, |lane| lane.add(request, accepted_at))
    }

    fn commit(&mut self, accepted_at: u64) -> Result<(), Stop> {
        for lane in &mut self.lanes {
            if lane.requests.is_empty() {
                continue;
            }
            let outcome = match room(&self.options, lane) {
                Ok(()) => append(&self.options, lane, accepted_at)?,
                Err(error) => Err(error),
            };
            lane.records.clear();
            lane.records.shrink_to(2 * GROUP_BYTES);
            lane.next = lane.log.next_sequence();
            for request in lane.requests.drain(..) {
                // A publisher that went away needs no answer.
                let _gone = request.answer.send(outcome.clone());
            }
        }
        Ok(())
    }

    fn refuse_the_rest(&mut self) {
        self.commands.close();
        while let Ok(command) = self.commands.try_recv() {
            if let Command::Publish(request) = command {
                let _gone = request.answer.send(Err(PublishError::Closed));
            }
        }
    }
}

/// Whether the collected group may be written.
fn room(options: &Options, lane: &Lane) -> Result<(), PublishError> {
    let topic = lane.topic.topic;
    let wanted = lane.records.len() as u64;
    if topic.must_be_consumed() {
        let taken = lane.topic.queue().bytes_on_disk();
        if taken.saturating_add(wanted) > options.max_bytes {
            let bound = options.max_bytes;
            let name = topic.name();
            return Err(PublishError::Full(format!(
                "{name} holds {taken} of at most {bound} bytes, unread; see to its consumers"
            )));
        }
    }
    let free = options
        .disk
        .free_bytes(&options.directory)
        .map_err(|error| PublishError::Unavailable(format!("cannot ask for the free space: {error}")))?;
    if free < options.reserve_bytes.saturating_add(wanted) {
        let directory = options.directory.display();
        let reserve = options.reserve_bytes;
        return Err(PublishError::Full(format!(
            "{free} bytes are free under {directory}, and {reserve} are kept in reserve; make room on this disk"
        )));
    }
    Ok(())
}

fn append(options: &Options, lane: &mut Lane, accepted_at: u64) -> Result<Result<(), PublishError>, Stop> {
    let first = lane.log.next_sequence();
    let (segment, offset) = match lane.log.append(&lane.records, lane.next - first, accepted_at) {
        Ok(written) => written,
        Err(Failure::Write(error)) => {
            let path = lane.log.path();
            let path = path.display();
            tracing::warn!(%path, %error, "a write failed, and the publishers were refused");
            return Ok(Err(PublishError::Full(format!("cannot write to {path}: {error}"))));
        }
        Err(Failure::Sync(path, error)) => {
            let path = path.display();
            tracing::error!(%path, %error, "a sync failed: what is on the disk is unknown, so the process ends");
            options.disk.abort();
            return Err(Stop);
        }
    };
    let group = Group { segment, first, accepted_at, offset };
    let messages = lane.requests.iter_mut().flat_map(|request| std::mem::take(&mut request.messages));
    let mut queue = lane.topic.queue();
    queue.commit(&group, messages);
    let discarded = !lane.topic.topic.must_be_consumed() && queue.discard_beyond(options.unread_bytes);
    let reading = queue.wants_reading();
    drop(queue);
    lane.topic.changed.notify_waiters();
    if reading {
        lane.topic.reading.raise();
    }
    if discarded {
        lane.topic.saving.raise();
    }
    Ok(Ok(()))
}
