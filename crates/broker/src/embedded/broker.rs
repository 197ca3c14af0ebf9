//! The embedded broker as its users see it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use patchbay_proto::Topic;
use tokio::sync::{Mutex, mpsc, oneshot};

use super::consumer::EmbeddedConsumer;
use super::letters::Letters;
use super::lock::Lock;
use super::log::{self, Log};
use super::notebook::Notebook;
use super::options::Options;
use super::queue::Queue;
use super::record::size_of;
use super::recovery::{Recovered, recover};
use super::segment::HEADER;
use super::signal::Signal;
use super::threads::Threads;
use super::topic_state::TopicState;
use super::writer::{Command, Lane, Request, Writer};
use crate::{Broker, Consumer, Error, Message, Progress, PublishError};

/// Requests that may wait for the writer; more publishers wait for a place.
const QUEUED_REQUESTS: usize = 4096;

/// The broker inside this process.
///
/// Dropping it without [`close`](Broker::close) ends it as well, and waits for the write under way.
#[derive(Debug)]
pub struct Embedded {
    options: Options,
    topics: Vec<Arc<TopicState>>,
    commands: mpsc::Sender<Command>,
    closing: AtomicBool,
    threads: Mutex<Option<Threads>>,
}

impl Embedded {
    /// Reads the directory, mends what a crash cut, and starts.
    ///
    /// # Errors
    /// When the directory is in use, can't be read or written, or is damaged.
    pub async fn open(options: Options) -> Result<Arc<Self>, Error> {
        let opening = tokio::task::spawn_blocking(move || Self::open_blocking(options));
        let opened = opening.await.map_err(|error| Error::Unavailable(format!("opening failed: {error}")))?;
        opened.map(Arc::new)
    }

    fn open_blocking(options: Options) -> Result<Self, Error> {
        let directory = options.directory.clone();
        let lock = Lock::take(&directory)?;
        let saving = Arc::new(Signal::default());
        let mut topics = Vec::new();
        let mut kept = Vec::new();
        let mut lanes = Vec::new();
        for topic in Topic::ALL {
            let (state, log, notebook) = open_topic(&options, topic, &saving)?;
            topics.push(Arc::clone(&state));
            kept.push((Arc::clone(&state), notebook));
            lanes.push(Lane::new(state, log));
        }
        log::sync_directory(&*options.disk, &directory).map_err(|error| Error::io("sync", &directory, error))?;
        let (commands, receiver) = mpsc::channel(QUEUED_REQUESTS);
        let writer = Writer::new(options.clone(), receiver, lanes);
        let dead = topics.iter().find(|state| state.topic == Topic::DeadLetter).map(Arc::clone);
        let dead = dead.ok_or_else(|| Error::Unavailable("there is no topic for dead letters".into()))?;
        let letters = Letters { commands: commands.downgrade(), topic: dead };
        let disk = Arc::clone(&options.disk);
        let threads = Threads::start(writer, kept, &letters, saving, disk, lock)?;
        let threads = Mutex::new(Some(threads));
        Ok(Self { options, topics, commands, closing: AtomicBool::new(false), threads })
    }

    fn topic(&self, topic: Topic) -> Option<&Arc<TopicState>> {
        self.topics.iter().find(|state| state.topic == topic)
    }

    fn writer_is_gone(&self) -> PublishError {
        if self.closing.load(Ordering::Acquire) {
            return PublishError::Closed;
        }
        PublishError::Unavailable("its writer has ended; restart the process".into())
    }
}

fn open_topic(
    options: &Options,
    topic: Topic,
    saving: &Arc<Signal>,
) -> Result<(Arc<TopicState>, Log, Notebook), Error> {
    let directory = options.directory.join(topic.name());
    let Recovered { segments, newest, acknowledged, notebook, first_open } = recover(&*options.disk, &directory)?;
    let segment_bytes = options.segment_bytes_of(topic).max(HEADER);
    let log = Log::resume(Arc::clone(&options.disk), directory.clone(), segment_bytes, newest)
        .map_err(|error| Error::io("open the newest segment in", &directory, error))?;
    let limit = options.delivery_limit_of(topic);
    let queue = Queue::new(options.memory_share(), limit, segments, acknowledged, first_open);
    let state = TopicState::new(topic, directory, queue, Arc::clone(saving));
    Ok((Arc::new(state), log, notebook))
}

#[async_trait]
impl Broker for Embedded {
    async fn publish(&self, topic: Topic, messages: Vec<Message>) -> Result<(), PublishError> {
        let limit = self.options.max_message_bytes;
        if let Some(bytes) = messages.iter().map(size_of).find(|bytes| *bytes > limit) {
            return Err(PublishError::TooLarge { bytes, limit });
        }
        if self.closing.load(Ordering::Acquire) {
            return Err(PublishError::Closed);
        }
        if messages.is_empty() {
            return Ok(());
        }
        let Some(state) = self.topic(topic) else { return Err(self.writer_is_gone()) };
        let (answer, answered) = oneshot::channel();
        let request = Request { topic: Arc::clone(state), messages, answer };
        self.commands.send(Command::Publish(request)).await.map_err(|_| self.writer_is_gone())?;
        answered.await.map_err(|_| PublishError::Unavailable("its writer has ended; restart the process".into()))?
    }

    async fn subscribe(&self, topic: Topic, prefetch: usize) -> Result<Box<dyn Consumer>, Error> {
        let state = self.topic(topic).ok_or(Error::Closed)?;
        Ok(Box::new(EmbeddedConsumer::join(Arc::clone(state), prefetch)?))
    }

    fn progress(&self, topic: Topic) -> Progress {
        let now = self.options.now_micros();
        self.topic(topic).map(|state| state.queue().progress(now)).unwrap_or_default()
    }

    fn health(&self) -> Result<(), String> {
        if self.closing.load(Ordering::Acquire) || self.commands.is_closed() {
            return Err(self.writer_is_gone().to_string());
        }
        Ok(())
    }

    async fn close(&self) {
        self.closing.store(true, Ordering::Release);
        let mut threads = self.threads.lock().await;
        let Some(running) = threads.take() else { return };
        // A writer that has ended needs no word.
        let _ended = self.commands.send(Command::Close).await;
        if tokio::task::spawn_blocking(move || drop(running)).await.is_err() {
            tracing::error!("the broker's threads did not end well");
        }
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        // Without a sender the writer ends, for which the threads' own drop waits.
        self.commands = mpsc::channel(1).0;
        drop(self.threads.get_mut().take());
    }
}
