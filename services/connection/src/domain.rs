//! Connections as this service knows them.

use std::{collections::BTreeMap, fmt, time::Duration};

use patchbay_types::{ConnectionId, Timestamp, WorkspaceId};
use serde_json::Value;

/// Values by the name of their field.
pub(crate) type Fields = BTreeMap<String, Value>;

/// What a connection can be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// It works, as far as we know.
    Active,
    /// A person has switched it off.
    Disconnected,
    /// The partner refused its credential, or what is stored of it can't be read: a person must give it again.
    NeedsReauthorization,
    /// It is gone; only its id and revision are kept, so that others learn of it.
    Deleted,
}

impl Status {
    const ALL: [Self; 4] = [Self::Active, Self::Disconnected, Self::NeedsReauthorization, Self::Deleted];

    /// The stable name, as it is stored and sent.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disconnected => "disconnected",
            Self::NeedsReauthorization => "needs_reauthorization",
            Self::Deleted => "deleted",
        }
    }

    /// The status with this name. A damaged row is a connection that a person must mend.
    pub(crate) fn from_stored(name: &str) -> Self {
        Self::ALL.into_iter().find(|status| status.name() == name).unwrap_or(Self::NeedsReauthorization)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A connection as people may see it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Connection {
    pub(crate) id: ConnectionId,
    pub(crate) workspace: WorkspaceId,
    pub(crate) partner: String,
    pub(crate) title: String,
    pub(crate) status: Status,
    /// Secrets are masked.
    pub(crate) shown: Fields,
    /// Calls in flight at once; `None` is the connector's own limit, 0 is no limit.
    pub(crate) concurrency: Option<i64>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

/// A connection as other services may know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Definition {
    pub(crate) id: ConnectionId,
    pub(crate) workspace: WorkspaceId,
    pub(crate) partner: String,
    pub(crate) status: Status,
    pub(crate) revision: i64,
    pub(crate) concurrency: Option<i64>,
}

/// One page of a workspace's connections.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Page {
    pub(crate) connections: Vec<Connection>,
    /// The last id of this page, when more follow.
    pub(crate) next_after: Option<ConnectionId>,
}

/// What changed, oldest first, and the revision that this leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Changes {
    pub(crate) revision: i64,
    pub(crate) definitions: Vec<Definition>,
}

/// What a person gives for a new connection. Holds plaintext, so it can't be printed.
pub(crate) struct NewConnection {
    pub(crate) workspace: WorkspaceId,
    pub(crate) partner: String,
    /// Empty is the partner's title.
    pub(crate) title: String,
    pub(crate) given: Fields,
    pub(crate) concurrency: Option<i64>,
}

/// What a person changes of a connection; what is not named stays. Holds plaintext, so it can't be printed.
pub(crate) struct Edit {
    pub(crate) title: Option<String>,
    pub(crate) given: Fields,
    pub(crate) concurrency: Option<i64>,
}

/// All fields of a connection in plaintext, so it can't be printed.
pub(crate) struct Credential {
    pub(crate) fields: Fields,
    pub(crate) revision: i64,
}

/// A sealed credential as it is stored.
pub(crate) struct SealedCredential {
    pub(crate) workspace: WorkspaceId,
    pub(crate) partner: String,
    pub(crate) status: Status,
    pub(crate) revision: i64,
    /// `None` when what is stored can't be read.
    pub(crate) shown: Option<Fields>,
    /// Field and sealed value.
    pub(crate) secrets: Vec<(String, Vec<u8>)>,
}

/// One key of hook tokens, in plaintext, so it can't be printed.
pub(crate) struct HookKey {
    pub(crate) generation: u32,
    pub(crate) key: Vec<u8>,
}

/// What a test found out about a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finding {
    /// It works.
    Ok,
    /// The partner refuses the credential.
    Rejected,
    /// The partner knows the credential, but it has no right to the test.
    Forbidden,
    /// The partner can't be reached now, or fails.
    Unreachable,
    /// What the connection leads to is not the partner's API, or may not be called.
    Misconfigured,
    /// There is no credential that can be used.
    NeedsReauthorization,
}

impl Finding {
    /// The stable name, as it is sent.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Rejected => "rejected",
            Self::Forbidden => "forbidden",
            Self::Unreachable => "unreachable",
            Self::Misconfigured => "misconfigured",
            Self::NeedsReauthorization => "needs_reauthorization",
        }
    }
}

/// How a test ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tested {
    pub(crate) finding: Finding,
    /// What happened and what to do about it, for a person.
    pub(crate) message: String,
    /// The status code of the partner's answer, when there was one.
    pub(crate) partner_status: Option<u16>,
    /// The beginning of the partner's answer, secrets covered.
    pub(crate) partner_answer: String,
    pub(crate) duration: Duration,
    pub(crate) tested_at: Timestamp,
}
