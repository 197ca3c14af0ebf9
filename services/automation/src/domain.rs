//! An automation and its states.

use bytes::Bytes;
use patchbay_types::{
    AutomationId, ConnectionId, SourceId, Timestamp, WorkspaceId,
    fault::{Code, Fault},
};

/// Where an automation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// Never published.
    Draft,
    /// Events start runs of it.
    Active,
    /// Somebody stopped it for a while.
    Paused,
    /// It was stopped because something is wrong with it.
    Stopped,
}

impl Status {
    const ALL: [Self; 4] = [Self::Draft, Self::Active, Self::Paused, Self::Stopped];

    /// The name, as it is stored and sent.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// After a publish.
    pub(crate) const fn published(self) -> Self {
        match self {
            Self::Draft | Self::Active => Self::Active,
            Self::Paused => Self::Paused,
            Self::Stopped => Self::Stopped,
        }
    }

    /// After a pause.
    pub(crate) fn paused(self) -> Result<Self, Fault> {
        match self {
            Self::Active | Self::Paused => Ok(Self::Paused),
            Self::Draft => Err(precondition("a draft can't be paused; it does not run before it is published")),
            Self::Stopped => Err(precondition("the automation is stopped already; start lets it run again")),
        }
    }

    /// After a start.
    pub(crate) fn started(self) -> Result<Self, Fault> {
        match self {
            Self::Active | Self::Paused | Self::Stopped => Ok(Self::Active),
            Self::Draft => Err(precondition("a draft can't be started; publish it")),
        }
    }
}

fn precondition(message: &str) -> Fault {
    Fault::new(Code::FailedPrecondition, message)
}

/// An automation with its draft.
#[derive(Debug, Clone)]
pub(crate) struct Automation {
    pub(crate) id: AutomationId,
    pub(crate) workspace: WorkspaceId,
    pub(crate) status: Status,
    /// The published version; 0 before the first publish.
    pub(crate) version: i64,
    /// The draft, as it was given.
    pub(crate) document: Bytes,
    /// How often the draft was changed, to notice a change in between.
    pub(crate) edits: i64,
    pub(crate) source: SourceId,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

/// One live instance of a trigger.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) id: SourceId,
    pub(crate) workspace: WorkspaceId,
    /// The automation that it was made for, which alone sets what follows.
    pub(crate) owner: AutomationId,
    pub(crate) operation: String,
    /// Whose account fires it; nothing for triggers of Patchbay itself, and where the draft has not said it yet.
    pub(crate) connection: Option<ConnectionId>,
    /// How its events come.
    pub(crate) mode: String,
    /// A JSON object.
    pub(crate) parameters: Vec<u8>,
    pub(crate) deleted: bool,
    pub(crate) revision: i64,
}

/// The published version of an automation, as executors follow it.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) id: AutomationId,
    pub(crate) workspace: WorkspaceId,
    pub(crate) status: Status,
    pub(crate) deleted: bool,
    pub(crate) version: i64,
    pub(crate) source: SourceId,
    pub(crate) document: Bytes,
    pub(crate) revision: i64,
}

/// What others have not seen yet.
#[derive(Debug)]
pub(crate) struct Changes {
    /// Ask with this next time.
    pub(crate) revision: i64,
    pub(crate) sources: Vec<Source>,
    pub(crate) automations: Vec<Published>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_publish_wakes_only_drafts() {
        let after = Status::ALL.map(Status::published);
        assert_eq!(after, [Status::Active, Status::Active, Status::Paused, Status::Stopped]);
    }

    #[test]
    fn only_what_was_published_is_paused_and_started() {
        let paused = Status::ALL.map(|status| status.paused().ok());
        assert_eq!(paused, [None, Some(Status::Paused), Some(Status::Paused), None]);
        let started = Status::ALL.map(|status| status.started().ok());
        assert_eq!(started, [None, Some(Status::Active), Some(Status::Active), Some(Status::Active)]);
    }

    #[test]
    fn every_status_is_found_by_its_name() {
        for status in Status::ALL {
            assert_eq!(Status::parse(status.as_str()), Some(status));
        }
    }
}
