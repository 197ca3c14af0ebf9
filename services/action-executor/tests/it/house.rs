//! One executor that can end, crash and begin again on the same files.

use std::{path::Path, sync::Arc, thread, time::Duration};

use bytes::Bytes;
use patchbay_action_executor::{
    config::{Config, Retention},
    role,
};
use patchbay_broker::{Broker, Consumer, Message};
use patchbay_connector::{Catalog, builtin};
use patchbay_egress::{Egress, Options};
use patchbay_proto::{
    Route, Topic,
    event::v1::TriggerFired,
    executor::v1::{
        DeadLetterEntry, ListDeadLettersRequest, ListRunsRequest, ListRunsResponse, Run, RunRequest,
        run_service_client::RunServiceClient,
    },
};
use patchbay_service::Ground;
use patchbay_store::Engine;
use patchbay_testing::{proxy::Proxy, wait_for};
use patchbay_types::{SourceId, Timestamp};
use prost::Message as _;
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tonic::Status;

use crate::{
    peers::{Peers, WORKSPACE},
    watched::{Tally, Watched},
};

/// Longer than any wait that ends well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What a test may set. The waits are short, the lease is long enough for calls that are held.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) config: Config,
    pub(crate) catalog: Arc<Catalog>,
    /// What the executor is given in the place of its broker.
    pub(crate) broker: fn(Arc<dyn Broker>) -> Arc<dyn Broker>,
    /// Whether somebody listens to which runs end. A broker need not keep that for those who come later.
    pub(crate) is_heard: bool,
}

impl Default for Setup {
    fn default() -> Self {
        let config = Config {
            in_flight: 256,
            in_flight_bytes: 64 * 1024 * 1024,
            lease: Duration::from_secs(15),
            poll: Duration::from_millis(20),
            permit_patience: Duration::from_millis(5),
            retry_delays: vec![Duration::from_millis(20); 4],
            circuit_failures: 10,
            circuit_wait: Duration::from_millis(50),
            circuit_wait_most: Duration::from_millis(200),
            credential_hold: Duration::from_secs(300),
            drain: Duration::from_secs(10),
            retell_after: Duration::from_millis(200),
        };
        Self { config, catalog: Arc::new(builtin().unwrap()), broker: |broker| broker, is_heard: false }
    }
}

/// An executor, its files, and its peers, which outlive it.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) peers: Peers,
    pub(crate) setup: Setup,
    tally: Arc<Tally>,
    life: Option<Life>,
    folder: TempDir,
}

/// One process's worth of executor, on threads of its own.
#[derive(Debug)]
struct Life {
    runtime: Runtime,
    ground: Ground,
    runs: RunServiceClient<Route>,
    /// Hears which runs end.
    ears: Option<Box<dyn Consumer>>,
    /// Ends its connections to the broker.
    proxy: Option<Proxy>,
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::with(Setup::default()).await
    }

    pub(crate) async fn with(setup: Setup) -> Self {
        let (peers, tally, folder) = (Peers::default(), Arc::default(), tempfile::tempdir().unwrap());
        let mut house = Self { peers, setup, tally, life: None, folder };
        house.begin().await;
        house
    }

    /// Begins a life on the files that the one before left.
    pub(crate) async fn begin(&mut self) {
        assert!(self.life.is_none(), "it lives");
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (folder, setup) = (self.folder.path().to_owned(), self.setup.clone());
        let building = build(folder, setup, Arc::clone(&self.tally), self.peers.clone());
        let (ground, proxy, ears, runs) = runtime.spawn(building).await.unwrap();
        self.life = Some(Life { runtime, ground, runs, ears, proxy });
    }

    /// Everything stops where it is: nothing is waited for, nothing is told.
    pub(crate) fn crash(&mut self) {
        let Some(Life { runtime, ground, runs, ears, proxy }) = self.life.take() else { return };
        // A runtime must not be ended by a thread that serves another one.
        thread::spawn(move || runtime.shutdown_timeout(PATIENCE)).join().unwrap();
        drop((runs, ears, ground, proxy));
    }

    /// Ends as a process does that is told to.
    pub(crate) async fn end(&mut self) {
        let ground = self.ground().clone();
        ground.tasks.shutdown().begin();
        assert!(ground.tasks.join(PATIENCE).await, "all tasks end");
        assert_eq!(ground.tasks.failed(), None);
        ground.broker.close().await;
        ground.engine.close().await;
        drop(ground);
        self.crash();
    }

    fn life(&self) -> &Life {
        self.life.as_ref().unwrap()
    }

    pub(crate) fn ground(&self) -> &Ground {
        &self.life().ground
    }

    pub(crate) fn client(&self) -> RunServiceClient<Route> {
        self.life().runs.clone()
    }

    /// An event that is accepted now.
    pub(crate) fn event(&self, source: SourceId, id: &str, payload: &Value) -> TriggerFired {
        event_at(self.ground().clock.now(), source, id, payload)
    }

    /// Publishes an event.
    pub(crate) async fn fire(&self, source: SourceId, id: &str, payload: Value) {
        self.publish(&[self.event(source, id, &payload)]).await;
    }

    /// Publishes as many events as asked, with the id and the email `e<number>`, all at once.
    pub(crate) async fn fire_many(&self, source: SourceId, count: usize) {
        let event = |name: String| self.event(source, &name, &serde_json::json!({"email": name}));
        self.publish(&names(count).into_iter().map(event).collect::<Vec<_>>()).await;
    }

    pub(crate) async fn publish(&self, events: &[TriggerFired]) {
        let message = |event: &TriggerFired| (event.event_id.clone(), Bytes::from(event.encode_to_vec()));
        self.publish_raw(events.iter().map(message).collect()).await;
    }

    /// Publishes messages by their keys and bodies.
    pub(crate) async fn publish_raw(&self, messages: Vec<(String, Bytes)>) {
        let message = |(key, payload)| Message { key: Bytes::from(key), payload, ..Message::default() };
        let messages = messages.into_iter().map(message).collect();
        self.ground().broker.publish(Topic::TriggerFired, messages).await.unwrap();
    }

    pub(crate) async fn list(&self, request: ListRunsRequest) -> Result<ListRunsResponse, Status> {
        self.client().list_runs(request).await.map(tonic::Response::into_inner)
    }

    /// All runs of the workspace, newest first.
    pub(crate) async fn runs(&self) -> Vec<Run> {
        self.list(ListRunsRequest { limit: 1_000, ..of_workspace() }).await.unwrap().runs
    }

    /// The runs of an event, newest first.
    pub(crate) async fn runs_of(&self, event: &str) -> Vec<Run> {
        self.list(ListRunsRequest { event_id: event.to_owned(), ..of_workspace() }).await.unwrap().runs
    }

    /// The run of an event, as soon as it is `wanted`.
    pub(crate) async fn when(&self, event: &str, what: &str, wanted: impl Fn(&Run) -> bool) -> Run {
        wait_for(&format!("run of {event} to be {what}"), PATIENCE, || async {
            let runs = self.runs_of(event).await;
            assert!(runs.len() < 2, "two runs of one event: {runs:?}");
            let run = runs.into_iter().next()?;
            assert!(wanted(&run) || run.finished_at == 0, "run of {event} is not {what}: {run:?}");
            wanted(&run).then_some(run)
        })
        .await
    }

    /// The run of an event, as soon as it has this status.
    pub(crate) async fn when_is(&self, event: &str, status: &str) -> Run {
        self.when(event, status, |run| run.status == status).await
    }

    /// All runs, as soon as there are this many and all have this status.
    pub(crate) async fn when_all_are(&self, status: &str, count: usize) -> Vec<Run> {
        wait_for(&format!("{count} runs to be {status}"), PATIENCE, || async {
            let runs = self.runs().await;
            assert!(runs.len() <= count, "more runs than events");
            (runs.len() == count && runs.iter().all(|run| run.status == status)).then_some(runs)
        })
        .await
    }

    pub(crate) async fn get(&self, run: &Run) -> Run {
        self.client().get_run(request(run)).await.unwrap().into_inner()
    }

    pub(crate) async fn replay(&self, run: &Run) -> Result<Run, Status> {
        self.client().replay_run(request(run)).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn cancel(&self, run: &Run) -> Result<Run, Status> {
        self.client().cancel_run(request(run)).await.map(tonic::Response::into_inner)
    }

    /// The dead letters of a workspace, newest first.
    pub(crate) async fn dead_letters(&self, workspace_id: i64) -> Vec<DeadLetterEntry> {
        let request = ListDeadLettersRequest { workspace_id, limit: 0, before_id: 0 };
        self.client().list_dead_letters(request).await.unwrap().into_inner().dead_letters
    }

    /// From now on the executor gets events so many at once, as they come from a broker that is quick.
    pub(crate) fn bring_together(&self, count: usize) {
        self.tally.bring_together(count);
    }

    /// Waits until the executor holds this many events that it has not acknowledged.
    pub(crate) async fn taken(&self, count: usize) {
        wait_for("events to be taken", PATIENCE, || async { (self.tally.held() == count).then_some(()) }).await;
    }

    /// Waits until every event was acknowledged.
    pub(crate) async fn acknowledged(&self) {
        wait_for("all events to be acknowledged", PATIENCE, || async { self.tally.is_done().then_some(()) }).await;
    }

    /// Who hears which runs end.
    pub(crate) fn ears(&mut self) -> &mut dyn Consumer {
        self.life.as_mut().and_then(|life| life.ears.as_deref_mut()).unwrap()
    }

    /// Waits until the metrics have this line.
    pub(crate) async fn counted(&self, line: &str) {
        wait_for(line, PATIENCE, || async {
            self.ground().metrics.render().lines().any(|counted| counted == line).then_some(())
        })
        .await;
    }
}

impl Drop for House {
    fn drop(&mut self) {
        // Before its folder goes: the broker's threads still write there.
        self.crash();
    }
}

async fn build(
    folder: impl AsRef<Path>,
    setup: Setup,
    tally: Arc<Tally>,
    peers: Peers,
) -> (Ground, Option<Proxy>, Option<Box<dyn Consumer>>, RunServiceClient<Route>) {
    let Setup { config, catalog, broker, is_heard } = setup;
    let (mut ground, proxy) = patchbay_testing::mortal_ground(folder.as_ref()).await;
    ground.broker = broker(Watched::over(ground.broker, tally));
    let ears = match is_heard {
        true => Some(ground.broker.subscribe(Topic::RunFinished, 64).await.unwrap()),
        false => None,
    };
    bury_the_dead(&ground.engine).await;
    let retention = retention();
    let allow_private = vec!["127.0.0.1".parse().unwrap()];
    let egress = Egress::new(Options { allow_private, ..Options::default() }).unwrap();
    let (automation, connection) = (peers.automation_route(), peers.connection_route());
    let installed = role::install(&ground, config, retention, catalog, egress, automation, connection).await.unwrap();
    let route = Route::local(installed.services.unwrap());
    (ground, proxy, ears, RunServiceClient::new(route).max_decoding_message_size(64 * 1024 * 1024))
}

/// What is kept for days, and swept as seldom as in a real house.
pub(crate) fn retention() -> Retention {
    Retention { runs_days: 30, dedupe_days: 7, max_bytes: 0, sweep_every: Duration::from_secs(15) }
}

/// Where processes share a database, one that crashed is only called dead when its lease is over: here that was long ago.
async fn bury_the_dead(engine: &Engine) {
    let Engine::Postgres(postgres) = engine else { return };
    let exists = "SELECT to_regclass('executor_incarnations') IS NOT NULL";
    if sqlx::query_scalar(exists).fetch_one(&postgres.pool).await.unwrap() {
        sqlx::query("DELETE FROM executor_incarnations").execute(&postgres.pool).await.unwrap();
    }
}

/// An event that was accepted at this time.
pub(crate) fn event_at(accepted_at: Timestamp, source: SourceId, id: &str, payload: &Value) -> TriggerFired {
    TriggerFired {
        event_source: String::new(),
        workspace_id: WORKSPACE,
        source_id: Bytes::copy_from_slice(source.as_bytes()),
        event_id: id.to_owned(),
        accepted_at: accepted_at.as_micros(),
        payload: payload.to_string().into(),
        meta: Bytes::from_static(b"{\"content_type\":\"application/json\"}"),
        dedupe_window: 0,
    }
}

/// A list of the first runs of the workspace.
pub(crate) fn of_workspace() -> ListRunsRequest {
    ListRunsRequest { workspace_id: WORKSPACE, ..ListRunsRequest::default() }
}

fn request(run: &Run) -> RunRequest {
    RunRequest { workspace_id: run.workspace_id, id: run.id.clone() }
}

/// The ids and emails of so many events, sorted.
pub(crate) fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("e{number:04}")).collect()
}

/// A list of one step that imports a profile, which may be done twice.
pub(crate) fn import(connection: i64) -> Value {
    serde_json::json!([{
        "key": "import", "operation": "altcraft.import_profile", "connection_id": connection,
        "input": {"db_id": 7, "email": "{{ trigger.email }}"},
    }])
}

/// A list of one step that launches a scenario, which must not be done twice.
pub(crate) fn launch(connection: i64) -> Value {
    serde_json::json!([{
        "key": "launch", "operation": "altcraft.import_and_launch_scenario", "connection_id": connection,
        "input": {"db_id": 7, "workflow_id": 12, "email": "{{ trigger.email }}"},
    }])
}

/// The time of a run's field.
pub(crate) fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}
