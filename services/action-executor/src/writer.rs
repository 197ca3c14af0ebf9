//! The one task that writes runs: it puts whatever is asked meanwhile into one transaction.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use patchbay_runtime::{Clock, Shutdown, backoff::Backoff, data_directory::Reserve};
use patchbay_store::Error;
use patchbay_types::RunId;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout_at},
};
use uuid::Uuid;

use crate::{
    rows::{DeadRow, EndRow, OpenRow, ProgressRow},
    slots::Slot,
    store::{Changes, Store, Written},
    telemetry::Telemetry,
    tell::Teller,
};

/// Requests that may wait to be written.
const WAITING: usize = 4_096;
/// Requests in one transaction.
const AT_ONCE: usize = 512;
/// Transactions begin no faster than this one after another, so that each carries more: a transaction costs the same few
/// pages and one sync, whether it is for one run or for twenty. The first after a pause never waits.
const PACE: Duration = Duration::from_millis(2);
/// The same where a transaction is the work of two more processes, and its sync one that the broker may wait for.
const SERVER_PACE: Duration = Duration::from_millis(5);
/// This many rows do not wait.
const WORTHWHILE: usize = 64;

/// Something to write.
#[derive(Debug)]
enum Request {
    Open { rows: Vec<OpenRow>, answer: oneshot::Sender<Vec<RunId>> },
    Progress { row: Box<ProgressRow>, answer: oneshot::Sender<bool> },
    End { row: Box<EndRow>, _slot: Slot },
    Bury { row: Box<DeadRow>, answer: oneshot::Sender<()> },
    Told(Uuid),
}

impl Request {
    fn rows(&self) -> usize {
        match self {
            Self::Open { rows, .. } => rows.len(),
            Self::Progress { .. } | Self::End { .. } | Self::Bury { .. } | Self::Told(_) => 1,
        }
    }
}

/// The way to the task.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    requests: mpsc::Sender<Request>,
    trouble: Trouble,
}

/// Why nothing can be written now.
type Trouble = Arc<Mutex<Option<String>>>;

/// The task's side.
#[derive(Debug)]
pub(crate) struct WriterTask {
    requests: mpsc::Receiver<Request>,
    trouble: Trouble,
    store: Store,
    clock: Clock,
    reserve: Option<Reserve>,
    teller: Teller,
    telemetry: Arc<Telemetry>,
}

/// A writer and its task, which is to be spawned.
pub(crate) fn writer(
    store: Store,
    clock: Clock,
    reserve: Option<Reserve>,
    teller: Teller,
    telemetry: Arc<Telemetry>,
) -> (Writer, WriterTask) {
    let (sender, receiver) = mpsc::channel(WAITING);
    let trouble = Trouble::default();
    let task =
        WriterTask { requests: receiver, trouble: Arc::clone(&trouble), store, clock, reserve, teller, telemetry };
    (Writer { requests: sender, trouble }, task)
}

impl Writer {
    /// Whether what is asked can be written.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn health(&self) -> Result<(), String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone().map_or(Ok(()), Err)
    }

    /// Opens runs. Returns those whose event was new, when they are durable; nothing when the process ends or is declared
    /// dead first.
    pub(crate) async fn open(&self, rows: Vec<OpenRow>) -> Option<Vec<RunId>> {
        let (answer, answered) = oneshot::channel();
        self.requests.send(Request::Open { rows, answer }).await.ok()?;
        answered.await.ok()
    }

    /// Writes how a run goes on. False when it is no longer ours.
    pub(crate) async fn progress(&self, row: ProgressRow) -> bool {
        let (answer, answered) = oneshot::channel();
        self.requests.send(Request::Progress { row: Box::new(row), answer }).await.is_ok()
            && answered.await.unwrap_or(false)
    }

    /// Moves an ended run into history. Its slot is free when that is durable.
    pub(crate) async fn end(&self, row: EndRow, slot: Slot) {
        // When the writer is gone the process ends; the next one takes the run over.
        let _ = self.requests.send(Request::End { row: Box::new(row), _slot: slot }).await;
    }

    /// Keeps what needs a person. Returns when that is durable, and whether it is.
    pub(crate) async fn bury(&self, row: DeadRow) -> bool {
        let (answer, answered) = oneshot::channel();
        self.requests.send(Request::Bury { row: Box::new(row), answer }).await.is_ok() && answered.await.is_ok()
    }

    /// Forgets a batch of ended runs that was told.
    pub(crate) async fn told(&self, batch: Uuid) {
        // What is not forgotten is told again, with the same ids.
        let _ = self.requests.send(Request::Told(batch)).await;
    }
}

impl WriterTask {
    /// Writes until `stop` begins, and then what is still asked.
    pub(crate) async fn run(mut self, stop: Shutdown) {
        let mut requests = Vec::with_capacity(AT_ONCE);
        let mut next = Instant::now();
        let pace = if self.store.is_local() { PACE } else { SERVER_PACE };
        loop {
            tokio::select! {
                biased;
                count = self.requests.recv_many(&mut requests, AT_ONCE) => {
                    if count == 0 {
                        return;
                    }
                }
                () = stop.begun() => {
                    self.requests.close();
                    if self.requests.is_empty() {
                        return;
                    }
                    continue;
                }
            }
            self.gather(&mut requests, next).await;
            next = Instant::now() + pace;
            self.write(std::mem::take(&mut requests)).await;
        }
    }

    /// Takes in what comes until `next`, or until that is worth a transaction of its own.
    async fn gather(&mut self, requests: &mut Vec<Request>, next: Instant) {
        while requests.iter().map(Request::rows).sum::<usize>() < WORTHWHILE {
            let room = AT_ONCE - requests.len();
            match timeout_at(next, self.requests.recv_many(requests, room)).await {
                Ok(count) if count > 0 => {}
                _ => return,
            }
        }
    }

    /// Writes all requests together. When one value among them can't be stored, each is written alone, so that it
    /// does not harm the others.
    async fn write(&self, requests: Vec<Request>) {
        match self.transact(&requests).await {
            Ok(written) => answer(requests, &written),
            Err(error) => {
                tracing::warn!(error = %error.chain(), "one of a batch can't be stored, writing each alone");
                for request in requests {
                    self.write_alone(request).await;
                }
            }
        }
    }

    async fn write_alone(&self, request: Request) {
        let requests = match request {
            Request::Open { rows, answer } if rows.len() > 1 => {
                let mut opened = Vec::new();
                for row in rows {
                    let (alone, answered) = oneshot::channel();
                    Box::pin(self.write_alone(Request::Open { rows: vec![row], answer: alone })).await;
                    opened.extend(answered.await.unwrap_or_default());
                }
                let _ = answer.send(opened);
                return;
            }
            other => vec![other],
        };
        match self.transact(&requests).await {
            Ok(written) => answer(requests, &written),
            Err(error) => {
                let reason = error.chain();
                tracing::error!(error = %reason, "a row can't be stored, it becomes a dead letter");
                for request in &requests {
                    if let Some(dead) = poison(request, &reason) {
                        self.telemetry.dead_letters.inc();
                        let _ =
                            self.transact(&[Request::Bury { row: Box::new(dead), answer: oneshot::channel().0 }]).await;
                    }
                }
                answer(requests, &Written::default());
            }
        }
    }

    /// One transaction, tried until the database takes it. Only a value that can never be stored is an error.
    async fn transact(&self, requests: &[Request]) -> Result<Written, Error> {
        let mut changes = collect(requests);
        let mut backoff = Backoff::new(Duration::from_millis(20), Duration::from_secs(1));
        loop {
            let error = match self.store.write(&changes, self.clock.now()).await {
                Ok(mut written) => {
                    self.note(None);
                    self.telemetry.written(&changes, &written);
                    if let Some((id, batch)) = written.finished.take() {
                        self.teller.tell(id, batch);
                    }
                    return Ok(written);
                }
                Err(error) => error,
            };
            match (&error, &self.reserve) {
                (Error::Data(_), _) => return Err(error),
                (Error::Full(_), Some(reserve)) => reserve.spend(),
                (Error::Sync(_), _) => {
                    // Trying again could succeed without the data being there: only a new start reads what the disk has.
                    tracing::error!(error = %error.chain(), "database could not be synced, ending at once");
                    std::process::abort();
                }
                _ => {}
            }
            self.note(Some(&error));
            changes.again = true;
            tokio::time::sleep(backoff.next_wait()).await;
        }
    }

    /// Keeps why nothing can be written, and logs what has changed about it.
    fn note(&self, error: Option<&Error>) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let reason = error.map(|error| format!("runs can't be written: {}", error.chain()));
        match (&reason, trouble.as_ref()) {
            (Some(reason), before) if before != Some(reason) => tracing::error!(reason, "trying again"),
            (None, Some(_)) => tracing::info!("runs can be written again"),
            _ => {}
        }
        *trouble = reason;
    }
}

fn collect(requests: &[Request]) -> Changes<'_> {
    let mut changes = Changes::default();
    for request in requests {
        match request {
            Request::Open { rows, .. } => changes.opens.extend(rows),
            Request::Progress { row, .. } => changes.progress.push(row),
            Request::End { row, .. } => changes.ends.push(row),
            Request::Bury { row, .. } => changes.dead.push(row),
            Request::Told(batch) => changes.told.push(*batch),
        }
    }
    changes
}

/// Answers everybody. Who no longer listens has no need to know.
fn answer(requests: Vec<Request>, written: &Written) {
    for request in requests {
        match request {
            // What is refused is not answered: whoever asked lets go of the events, and they come again.
            Request::Open { rows, .. } if rows.iter().any(|row| written.refused.contains(&row.identity.id)) => {}
            Request::Open { rows, answer } => {
                let fresh = rows.iter().map(|row| row.identity.id).filter(|id| written.opened.contains(id)).collect();
                let _ = answer.send(fresh);
            }
            Request::Progress { row, answer } => {
                let _ = answer.send(!written.lost.contains(&row.id));
            }
            Request::Bury { answer, .. } => {
                let _ = answer.send(());
            }
            Request::End { .. } | Request::Told(_) => {}
        }
    }
}

/// The dead letter for a request that can't be stored.
fn poison(request: &Request, reason: &str) -> Option<DeadRow> {
    let Request::Open { rows, .. } = request else { return None };
    let row = rows.first()?;
    Some(DeadRow {
        workspace: row.identity.workspace.get(),
        kind: "event",
        reason: "unstorable".to_owned(),
        error: reason.to_owned(),
        run: None,
        source: None,
        event_id: String::new(),
        original: Some(row.input.clone()),
        at: row.identity.started_at,
    })
}
