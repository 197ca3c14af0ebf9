//! Runs as the database holds them.

use patchbay_flow::{Phase, Run};
use patchbay_types::{AutomationId, ConnectionId, IncarnationId, RunId, Timestamp, WorkspaceId};
use sha2::{Digest, Sha256};
use sqlx::FromRow;

/// What every row of a run says about what it is a run of.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) id: RunId,
    pub(crate) workspace: WorkspaceId,
    pub(crate) automation: AutomationId,
    pub(crate) version: i64,
    pub(crate) event_id: String,
    pub(crate) started_at: Timestamp,
    /// Raised when a person replays the run.
    pub(crate) attempt: i64,
}

/// A new run with the memory of its event.
#[derive(Debug, Clone)]
pub(crate) struct OpenRow {
    pub(crate) identity: Identity,
    pub(crate) state: Run,
    pub(crate) owner: Option<IncarnationId>,
    pub(crate) behind: Option<ConnectionId>,
    pub(crate) reason: Option<&'static str>,
    /// Which connections its steps use, as `,1,2,`.
    pub(crate) connections: String,
    pub(crate) input: Vec<u8>,
    /// Hash of automation and event id.
    pub(crate) seen: [u8; 16],
    /// Until when the same event starts no second run.
    pub(crate) seen_until: Timestamp,
    /// When the event was accepted: the same for each of its deliveries, however late they come.
    pub(crate) seen_at: Timestamp,
}

/// The new state of an open run. It counts only while the run has this epoch.
#[derive(Debug, Clone)]
pub(crate) struct ProgressRow {
    pub(crate) id: RunId,
    pub(crate) epoch: i64,
    pub(crate) state: Run,
    pub(crate) owner: Option<IncarnationId>,
    pub(crate) due_at: Option<Timestamp>,
    pub(crate) behind: Option<ConnectionId>,
    pub(crate) reason: Option<String>,
    pub(crate) steps: Vec<u8>,
}

/// An ended run.
#[derive(Debug, Clone)]
pub(crate) struct EndRow {
    pub(crate) identity: Identity,
    pub(crate) epoch: i64,
    pub(crate) status: &'static str,
    pub(crate) step: usize,
    pub(crate) in_doubt: bool,
    pub(crate) generation: u32,
    pub(crate) finished_at: Timestamp,
    pub(crate) error_class: &'static str,
    pub(crate) connections: String,
    pub(crate) input: Vec<u8>,
    pub(crate) steps: Vec<u8>,
    pub(crate) dead: Option<DeadRow>,
}

/// What needs a person.
#[derive(Debug, Clone)]
pub(crate) struct DeadRow {
    pub(crate) workspace: i64,
    pub(crate) kind: &'static str,
    pub(crate) reason: String,
    pub(crate) error: String,
    pub(crate) run: Option<RunId>,
    pub(crate) source: Option<Vec<u8>>,
    pub(crate) event_id: String,
    pub(crate) original: Option<Vec<u8>>,
    pub(crate) at: Timestamp,
}

impl DeadRow {
    /// The same for the same letter, so that writing it again, when nobody knows whether it was written, makes no second.
    pub(crate) fn key(&self) -> [u8; 16] {
        let mut hash = Sha256::new();
        let run = self.run.as_ref().map(RunId::as_bytes).map_or([].as_slice(), <[u8; 16]>::as_slice);
        let source = self.source.as_deref().unwrap_or_default();
        let original = self.original.as_deref().unwrap_or_default();
        let texts = [self.kind, &self.reason, &self.error, &self.event_id].map(str::as_bytes);
        for part in texts.into_iter().chain([run, source, original]) {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        hash.update(self.workspace.to_le_bytes());
        hash.update(self.at.as_micros().to_le_bytes());
        let mut key = [0; 16];
        key.copy_from_slice(&hash.finalize()[..16]);
        key
    }
}

/// An open run that this process took.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct TakenRow {
    id: Vec<u8>,
    workspace_id: i64,
    automation_id: Vec<u8>,
    pub(crate) version: i64,
    event_id: String,
    phase: String,
    pub(crate) epoch: i64,
    step: i64,
    in_doubt: i64,
    attempts: i64,
    generation: i64,
    takeovers: i64,
    attempt: i64,
    started_at: i64,
    pub(crate) input: Vec<u8>,
    pub(crate) steps: Vec<u8>,
}

impl TakenRow {
    /// What it is a run of. Nothing when the row is damaged.
    pub(crate) fn identity(&self) -> Option<Identity> {
        Some(Identity {
            id: RunId::from_slice(&self.id).ok()?,
            workspace: WorkspaceId::new(self.workspace_id),
            automation: AutomationId::from_slice(&self.automation_id).ok()?,
            version: self.version,
            event_id: self.event_id.clone(),
            started_at: Timestamp::from_micros(self.started_at),
            attempt: self.attempt,
        })
    }

    /// Where it stands.
    pub(crate) fn state(&self) -> Run {
        let count = |number: i64| u32::try_from(number).unwrap_or(0);
        Run {
            phase: phase_from_name(&self.phase),
            step: usize::try_from(self.step).unwrap_or(0),
            in_doubt: self.in_doubt != 0,
            attempts: count(self.attempts),
            generation: count(self.generation),
            takeovers: count(self.takeovers),
        }
    }
}

/// A run as it is shown: open or ended.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct ViewRow {
    pub(crate) id: Vec<u8>,
    pub(crate) workspace_id: i64,
    pub(crate) automation_id: Vec<u8>,
    pub(crate) version: i64,
    pub(crate) event_id: String,
    pub(crate) status: String,
    pub(crate) step: i64,
    pub(crate) attempts: i64,
    pub(crate) attempt: i64,
    pub(crate) started_at: i64,
    pub(crate) finished_at: i64,
    pub(crate) due_at: Option<i64>,
    pub(crate) behind: Option<i64>,
    pub(crate) reason: Option<String>,
    pub(crate) input: Vec<u8>,
    pub(crate) steps: Vec<u8>,
}

/// A dead letter as it is shown.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct DeadLetterView {
    pub(crate) id: i64,
    pub(crate) workspace_id: i64,
    pub(crate) kind: String,
    pub(crate) reason: String,
    pub(crate) error: String,
    pub(crate) run_id: Option<Vec<u8>>,
    pub(crate) event_id: String,
    pub(crate) at: i64,
}

/// A dead letter with the message that it is about.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct DeadLetterRow {
    #[sqlx(flatten)]
    pub(crate) view: DeadLetterView,
    pub(crate) original: Option<Vec<u8>>,
    /// When a person asked for its event to be brought in again.
    pub(crate) replay_at: Option<i64>,
}

/// What the list of runs is narrowed to.
#[derive(Debug, Clone, Default)]
pub(crate) struct RunFilter {
    pub(crate) before: Option<RunId>,
    /// The last one to look at.
    pub(crate) edge: Option<RunId>,
    pub(crate) automation: Option<AutomationId>,
    pub(crate) status: Option<String>,
    pub(crate) connection: Option<ConnectionId>,
    pub(crate) event_id: Option<String>,
    pub(crate) limit: i64,
}

impl RunFilter {
    /// Whether the runs that it leaves may lie far apart, without an index that leads to them.
    pub(crate) fn is_rare(&self) -> bool {
        let is_indexed = |status: &String| status == "failed" || status == "cancelled";
        self.event_id.is_some()
            || self.connection.is_some()
            || self.automation.is_some()
            || self.status.as_ref().is_some_and(|status| !is_indexed(status))
    }
}

/// The word for a phase of an open run, in the column `phase`.
pub(crate) const fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Running => "running",
        Phase::Waiting => "waiting",
        Phase::Behind => "behind",
        Phase::OutcomeUnknown => "outcome_unknown",
        Phase::Ended(_) => "ended",
    }
}

fn phase_from_name(name: &str) -> Phase {
    match name {
        "waiting" => Phase::Waiting,
        "behind" => Phase::Behind,
        "outcome_unknown" => Phase::OutcomeUnknown,
        _ => Phase::Running,
    }
}
