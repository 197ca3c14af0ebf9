//! The sources and hook keys as this process knows them, and how it asks for what changed.

use std::{
    collections::HashMap,
    future::Future,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use patchbay_connector::Catalog;
use patchbay_proto::{
    Route,
    automation::internal::v1::{
        self as automation, ChangesSinceRequest, automation_internal_service_client::AutomationInternalServiceClient,
    },
    connection::internal::v1::{
        ChangesSinceRequest as ConnectionChangesRequest, ConnectionDefinition, HookKeysRequest,
        connection_internal_service_client::ConnectionInternalServiceClient,
    },
};
use patchbay_runtime::Clock;
use patchbay_service::hook_token::{self, HookKey};
use patchbay_types::{ConnectionId, Fault, SourceId, WorkspaceId, fault::Code};
use tokio::sync::Mutex;
use tonic::{Response, Status};

use crate::domain::{Connection, Kind, Source};

/// How long a peer may take to answer.
const PEER_DEADLINE: Duration = Duration::from_secs(5);
/// The peers, as operators know them.
const AUTOMATION: &str = "automation";
const CONNECTION: &str = "connection";
/// Hook keys change by hand only.
const KEYS_EVERY: Duration = Duration::from_secs(1);
/// Requests to unknown sources ask at most this often, all that wait together.
const ASK_EVERY: Duration = Duration::from_millis(20);
/// The largest answer of a peer, in bytes: definitions of all automations come with their sources.
const LARGEST_ANSWER: usize = 256 * 1024 * 1024;

/// The sources as this process knows them.
#[derive(Debug)]
pub(crate) struct Sources {
    known: RwLock<Known>,
    refresher: Mutex<Refresher>,
    /// Counts the refreshes that began.
    begun: AtomicU64,
    progress: RwLock<Progress>,
    catalog: Arc<Catalog>,
    clock: Clock,
}

/// How refreshes go.
#[derive(Debug, Default)]
struct Progress {
    /// When the last one that ended well began, since boot.
    fresh_at: Option<Duration>,
    /// Why the last one failed, unless it ended well.
    trouble: Option<String>,
}

#[derive(Debug, Default)]
struct Known {
    /// Whether a refresh has ended well with at least one key.
    loaded: bool,
    keys: Arc<[HookKey]>,
    sources: HashMap<SourceId, Arc<Source>>,
    /// Those of them that published events fire.
    published: HashMap<WorkspaceId, HashMap<SourceId, Arc<Source>>>,
    connections: HashMap<ConnectionId, Connection>,
}

#[derive(Debug)]
struct Refresher {
    automation: AutomationInternalServiceClient<Route>,
    connection: ConnectionInternalServiceClient<Route>,
    revision: i64,
    connection_revision: i64,
    /// The number of the last refresh that ended well.
    ended: u64,
    /// When the last one began, and when the keys were asked for, both since boot.
    began_at: Option<Duration>,
    keys_at: Option<Duration>,
}

enum Answer {
    Found(Arc<Source>),
    /// We made no such token.
    Forged,
    /// The token is ours, its source is not known here.
    Unknown,
    /// Nothing was learned yet.
    NotLoaded,
}

impl Sources {
    pub(crate) fn new(catalog: Arc<Catalog>, automation: Route, connection: Route, clock: Clock) -> Self {
        let refresher = Refresher {
            automation: AutomationInternalServiceClient::new(automation).max_decoding_message_size(LARGEST_ANSWER),
            connection: ConnectionInternalServiceClient::new(connection).max_decoding_message_size(LARGEST_ANSWER),
            revision: 0,
            connection_revision: 0,
            ended: 0,
            began_at: None,
            keys_at: None,
        };
        Self {
            known: RwLock::default(),
            refresher: Mutex::new(refresher),
            begun: AtomicU64::new(0),
            progress: RwLock::default(),
            catalog,
            clock,
        }
    }

    /// Whether a source can be told from a wrong token, by what was learned within `age`.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn are_fresh(&self, age: Duration) -> Result<(), String> {
        let loaded = self.known.read().unwrap_or_else(PoisonError::into_inner).loaded;
        let progress = self.progress.read().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.since_boot();
        let old = progress.fresh_at.map(|at| now.saturating_sub(at)).filter(|old| *old >= age);
        let reason = progress.trouble.as_deref();
        match (loaded, old) {
            (true, None) => Ok(()),
            (false, _) => Err(reason.unwrap_or("not loaded yet").to_owned()),
            (true, Some(old)) => {
                let reason = reason.unwrap_or("the last question is not answered yet");
                Err(format!("not refreshed for {} s: {reason}", old.as_secs()))
            }
        }
    }

    /// The source that `token` stands for. One that is not known here is asked for once more before it is denied, because
    /// it may have been published a moment ago.
    pub(crate) async fn find(&self, token: &str) -> Result<Arc<Source>, Fault> {
        let begun = self.begun.load(Ordering::Acquire);
        match self.look_up(token) {
            Answer::Found(source) => return Ok(source),
            Answer::Forged => return Err(no_such_hook()),
            Answer::Unknown | Answer::NotLoaded => {
                let refreshed = tokio::time::timeout(PEER_DEADLINE, self.refresh_after(begun)).await;
                refreshed.map_err(|_| too_slow())??;
            }
        }
        match self.look_up(token) {
            Answer::Found(source) => Ok(source),
            Answer::Forged | Answer::Unknown => Err(no_such_hook()),
            Answer::NotLoaded => Err(Fault::new(Code::Unavailable, "hooks are not known yet; try again")),
        }
    }

    fn look_up(&self, token: &str) -> Answer {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if !known.loaded {
            return Answer::NotLoaded;
        }
        let Some(id) = hook_token::verify(&known.keys, token) else { return Answer::Forged };
        known.sources.get(&id).map_or(Answer::Unknown, |source| Answer::Found(Arc::clone(source)))
    }

    /// The sources of a workspace that published events fire, also those that were published just before.
    pub(crate) async fn published(&self, workspace: WorkspaceId) -> Result<Vec<Arc<Source>>, Fault> {
        let begun = self.begun.load(Ordering::Acquire);
        let refreshed = tokio::time::timeout(PEER_DEADLINE, self.refresh_after(begun)).await;
        refreshed.map_err(|_| too_slow())??;
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        Ok(known.published.get(&workspace).map(|sources| sources.values().cloned().collect()).unwrap_or_default())
    }

    /// What is known of a source's connection. It is known before a source that names it.
    pub(crate) fn connection(&self, id: ConnectionId) -> Option<Connection> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).connections.get(&id).copied()
    }

    /// Asks for what changed.
    pub(crate) async fn refresh(&self) -> Result<(), Trouble> {
        let mut refresher = self.refresher.lock().await;
        self.run(&mut refresher).await
    }

    /// Returns when a refresh that began after number `begun` has ended: the one that another request started, or an own one.
    async fn refresh_after(&self, begun: u64) -> Result<(), Trouble> {
        let mut refresher = self.refresher.lock().await;
        if refresher.ended > begun {
            return Ok(());
        }
        let since_last = refresher.began_at.map(|began_at| self.clock.since_boot().saturating_sub(began_at));
        if let Some(wait) = since_last.and_then(|since_last| ASK_EVERY.checked_sub(since_last)) {
            tokio::time::sleep(wait).await;
        }
        self.run(&mut refresher).await
    }

    async fn run(&self, refresher: &mut Refresher) -> Result<(), Trouble> {
        let began_at = self.clock.since_boot();
        let outcome = self.learn(refresher).await;
        let mut progress = self.progress.write().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok(()) => *progress = Progress { fresh_at: Some(began_at), trouble: None },
            Err(trouble) => {
                progress.trouble = Some(trouble.0.clone());
                return Err(trouble);
            }
        }
        Ok(())
    }

    async fn learn(&self, refresher: &mut Refresher) -> Result<(), Trouble> {
        let number = self.begun.fetch_add(1, Ordering::AcqRel) + 1;
        let now = self.clock.since_boot();
        refresher.began_at = Some(now);
        if refresher.keys_at.is_none_or(|keys_at| now.saturating_sub(keys_at) >= KEYS_EVERY) {
            let answer = ask(CONNECTION, refresher.connection.hook_keys(HookKeysRequest {})).await?;
            let keys = answer.keys.into_iter().filter_map(|key| {
                Some(HookKey { generation: u8::try_from(key.generation).ok()?, key: key.key.into() })
            });
            let keys: Arc<[HookKey]> = keys.collect();
            refresher.keys_at = (!keys.is_empty()).then_some(now);
            self.known.write().unwrap_or_else(PoisonError::into_inner).keys = keys;
        }
        loop {
            let request = ChangesSinceRequest { revision: refresher.revision };
            let changes = ask(AUTOMATION, refresher.automation.changes_since(request)).await?;
            if changes.revision == refresher.revision || changes.revision < 0 {
                break;
            }
            let start_over = changes.revision < refresher.revision;
            refresher.revision = if start_over { 0 } else { changes.revision };
            self.apply(changes.sources, start_over);
        }
        self.follow_connections(refresher).await?;
        refresher.ended = number;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.loaded = !known.keys.is_empty();
        if known.loaded { Ok(()) } else { Err(Trouble(format!("{CONNECTION} has no hook keys"))) }
    }

    /// After the sources, so that a connection that one of them names is known with it.
    async fn follow_connections(&self, refresher: &mut Refresher) -> Result<(), Trouble> {
        let mut changed: Vec<ConnectionDefinition> = Vec::new();
        let (mut revision, mut start_over) = (refresher.connection_revision, false);
        loop {
            let changes =
                ask(CONNECTION, refresher.connection.changes_since(ConnectionChangesRequest { revision })).await?;
            start_over |= changes.revision < revision;
            revision = changes.revision;
            if changes.connections.is_empty() {
                break;
            }
            changed.extend(changes.connections);
        }
        if changed.is_empty() && !start_over {
            return Ok(());
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if start_over {
            known.connections.clear();
        }
        known.connections.extend(changed.into_iter().map(|definition| {
            let workspace = WorkspaceId::new(definition.workspace_id);
            let deleted = definition.status == "deleted";
            (ConnectionId::new(definition.id), Connection { workspace, revision: definition.revision, deleted })
        }));
        refresher.connection_revision = revision;
        Ok(())
    }

    /// A revision that went back is that of a restored database: everything is asked for again.
    fn apply(&self, changed: Vec<automation::Source>, start_over: bool) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if start_over {
            known.sources.clear();
            known.published.clear();
            return;
        }
        for source in changed {
            let Ok(id) = SourceId::from_slice(&source.id) else {
                tracing::error!(revision = source.revision, "a source has no valid id");
                continue;
            };
            let workspace = WorkspaceId::new(source.workspace_id);
            known.published.entry(workspace).or_default().remove(&id);
            if source.deleted {
                known.sources.remove(&id);
                continue;
            }
            let source = Arc::new(Source::new(source, &self.catalog));
            if matches!(source.kind, Kind::Published(_)) {
                known.published.entry(workspace).or_default().insert(id, Arc::clone(&source));
            }
            known.sources.insert(id, source);
        }
    }
}

/// Why a refresh failed, for operators: where peers are is nothing that senders need to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble(pub(crate) String);

impl From<Trouble> for Fault {
    fn from(_: Trouble) -> Self {
        Self::new(Code::Unavailable, "hooks can't be looked up now; try again")
    }
}

async fn ask<T>(peer: &str, call: impl Future<Output = Result<Response<T>, Status>>) -> Result<T, Trouble> {
    match tokio::time::timeout(PEER_DEADLINE, call).await {
        Ok(Ok(answer)) => Ok(answer.into_inner()),
        Ok(Err(status)) => {
            let reason = status.message();
            // Of a broken way the words begin with the peer.
            Err(Trouble(if reason.starts_with(peer) { reason.to_owned() } else { format!("{peer}: {reason}") }))
        }
        Err(_) => Err(Trouble(format!("{peer} does not answer within {PEER_DEADLINE:?}"))),
    }
}

fn too_slow() -> Fault {
    Fault::new(Code::Unavailable, "hooks can't be looked up in time; try again")
}

pub(crate) fn no_such_hook() -> Fault {
    Fault::new(Code::NotFound, "there is no hook with this address")
}
