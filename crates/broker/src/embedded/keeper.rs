//! The thread that saves acknowledgements and lets acknowledged segments go.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use super::disk::Disk;
use super::log::sync_directory;
use super::notebook::Notebook;
use super::segment;
use super::signal::Signal;
use super::topic_state::TopicState;
use crate::Error;

/// How long acknowledgements gather before they are saved.
const GATHER: Duration = Duration::from_millis(100);

/// Works until it is told to stop, and saves once more then.
pub(super) fn run(mut topics: Vec<(Arc<TopicState>, Notebook)>, disk: &dyn Disk, signal: &Signal) {
    let mut failing = false;
    while signal.wait() {
        signal.pause(GATHER);
        failing = save_all(&mut topics, disk, signal, failing);
    }
    save_all(&mut topics, disk, signal, failing);
}

/// Whether any failed; only the first failure in a row is told.
fn save_all(topics: &mut [(Arc<TopicState>, Notebook)], disk: &dyn Disk, signal: &Signal, was_failing: bool) -> bool {
    let mut failing = false;
    for (topic, notebook) in topics {
        let Err(error) = save(topic, notebook, disk) else { continue };
        failing = true;
        topic.queue().mark_unsaved();
        signal.raise();
        if !was_failing {
            let directory = topic.directory.display();
            tracing::warn!(%directory, %error, "cannot save acknowledgements; trying again until it works");
        }
    }
    failing
}

fn save(topic: &TopicState, notebook: &mut Notebook, disk: &dyn Disk) -> Result<(), Error> {
    let Some(acknowledged) = topic.queue().take_unsaved() else { return Ok(()) };
    let directory = &topic.directory;
    notebook.save(disk, &acknowledged).map_err(|error| Error::io("save acknowledgements in", directory, error))?;
    let finished = topic.queue().finished(&acknowledged);
    if finished.is_empty() {
        return Ok(());
    }
    // Only when the medium knows that all of a segment is done may its file go: what is missing later is then damage.
    sync_directory(disk, directory).map_err(|error| Error::io("sync", directory, error))?;
    for base in finished {
        let path = segment::path(directory, base);
        fs::remove_file(&path).map_err(|error| Error::io("remove", &path, error))?;
        topic.queue().forget(base);
    }
    Ok(())
}
