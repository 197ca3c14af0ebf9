//! The threads of an embedded broker, and their end.

use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use super::disk::Disk;
use super::letters::Letters;
use super::lock::Lock;
use super::notebook::Notebook;
use super::signal::Signal;
use super::topic_state::TopicState;
use super::writer::Writer;
use super::{keeper, reader};
use crate::Error;

#[derive(Debug)]
pub(super) struct Threads {
    topics: Vec<Arc<TopicState>>,
    saving: Arc<Signal>,
    writer: Option<JoinHandle<()>>,
    others: Vec<JoinHandle<()>>,
    /// Held until the last thread has ended.
    _lock: Lock,
}

impl Threads {
    pub(super) fn start(
        writer: Writer,
        kept: Vec<(Arc<TopicState>, Notebook)>,
        letters: &Letters,
        saving: Arc<Signal>,
        disk: Arc<dyn Disk>,
        lock: Lock,
    ) -> Result<Self, Error> {
        let topics: Vec<_> = kept.iter().map(|(topic, _)| Arc::clone(topic)).collect();
        let mut threads = Self { topics, saving, writer: None, others: Vec::new(), _lock: lock };
        for topic in threads.topics.clone() {
            let letters = letters.clone();
            threads.others.push(start("broker-reader", move || reader::run(&topic, &letters))?);
        }
        let signal = Arc::clone(&threads.saving);
        threads.others.push(start("broker-keeper", move || keeper::run(kept, &*disk, &signal))?);
        threads.writer = Some(start("broker-writer", move || writer.run())?);
        Ok(threads)
    }

    /// Waits for the writer, which was told to end; then ends the consumers' waiting, saves, and ends the others.
    fn stop(&mut self) {
        if let Some(writer) = self.writer.take() {
            join(writer);
        }
        for topic in &self.topics {
            topic.queue().close();
            topic.changed.notify_waiters();
            topic.reading.stop();
        }
        self.saving.stop();
        self.others.drain(..).for_each(join);
    }
}

fn start(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, Error> {
    let started = Builder::new().name(name.to_owned()).spawn(work);
    started.map_err(|error| Error::Unavailable(format!("cannot start the thread {name}: {error}")))
}

fn join(thread: JoinHandle<()>) {
    let name = thread.thread().name().unwrap_or_default().to_owned();
    if thread.join().is_err() {
        tracing::error!(thread = name, "a thread of the broker ended in a panic");
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.stop();
    }
}
