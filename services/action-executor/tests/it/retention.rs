//! A file of SQLite is kept below a bound, at the cost of finished runs alone.

use std::{
    collections::BTreeSet,
    fmt::{Debug, Write as _},
    fs,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use patchbay_action_executor::{config::Retention, role};
use patchbay_broker::Message;
use patchbay_egress::{Egress, Options};
use patchbay_proto::{
    Route, Topic,
    executor::v1::{
        DeadLetterEntry, DeadLetterRequest, ListDeadLettersRequest, ListRunsRequest, Run,
        run_service_client::RunServiceClient,
    },
};
use patchbay_service::Ground;
use patchbay_store::{Engine, Size};
use patchbay_testing::{StoreKind, store_kind, store_url, wait_for};
use patchbay_types::SourceId;
use prost::Message as _;
use serde_json::json;
use tempfile::TempDir;
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use crate::{
    house::{PATIENCE, Setup, event_at, import, launch, of_workspace, retention},
    partner::{Answer, Partner},
    peers::{Peers, WORKSPACE},
};

/// An executor whose file may be bounded, on the thread of the test.
#[derive(Debug)]
struct Life {
    ground: Ground,
    runs: RunServiceClient<Route>,
}

/// A file with an open run that waits, a run with a dead letter that is the oldest one that finished, and others.
#[derive(Debug)]
struct Filled {
    folder: TempDir,
    peers: Peers,
    partner: Partner,
    /// Where events make runs that succeed.
    source: SourceId,
    /// What the open run waits for.
    connection: i64,
    size: Size,
    finished: Vec<Run>,
}

impl Life {
    async fn begin(folder: &Path, peers: &Peers, max_bytes: u64) -> Self {
        let Setup { config, catalog, .. } = Setup::default();
        let ground = patchbay_testing::ground(folder).await;
        let sweep_every = Duration::from_millis(10);
        let retention = Retention { max_bytes, sweep_every, ..retention() };
        let allow_private = vec!["127.0.0.1".parse().unwrap()];
        let egress = Egress::new(Options { allow_private, ..Options::default() }).unwrap();
        let (automation, connection) = (peers.automation_route(), peers.connection_route());
        let installed =
            role::install(&ground, config, retention, catalog, egress, automation, connection).await.unwrap();
        let route = Route::local(installed.services.unwrap());
        Self { ground, runs: RunServiceClient::new(route).max_decoding_message_size(64 * 1024 * 1024) }
    }

    async fn end(self) {
        self.ground.tasks.shutdown().begin();
        assert!(self.ground.tasks.join(PATIENCE).await, "all tasks end");
        assert_eq!(self.ground.tasks.failed(), None);
        self.ground.broker.close().await;
        self.ground.engine.close().await;
    }

    /// Publishes an event that takes about so many bytes wherever it is stored.
    async fn fire(&self, source: SourceId, id: &str, bytes: usize) {
        let payload = json!({"email": id, "note": noise(id, bytes)});
        let event = event_at(self.ground.clock.now(), source, id, &payload);
        let message =
            Message { key: event.event_id.clone().into(), payload: event.encode_to_vec().into(), ..Message::default() };
        self.ground.broker.publish(Topic::TriggerFired, vec![message]).await.unwrap();
    }

    async fn list(&self, request: ListRunsRequest) -> Vec<Run> {
        self.runs.clone().list_runs(request).await.unwrap().into_inner().runs
    }

    async fn runs_of(&self, event: &str) -> Vec<Run> {
        self.list(ListRunsRequest { event_id: event.to_owned(), ..of_workspace() }).await
    }

    async fn finished(&self) -> Vec<Run> {
        let runs = self.list(ListRunsRequest { limit: 1_000, ..of_workspace() }).await;
        runs.into_iter().filter(|run| run.finished_at > 0).collect()
    }

    async fn when_is(&self, event: &str, status: &str) -> Run {
        wait_for(&format!("run of {event} to be {status}"), PATIENCE, || async {
            self.runs_of(event).await.into_iter().find(|run| run.status == status)
        })
        .await
    }

    async fn dead_letters(&self) -> Vec<DeadLetterEntry> {
        let request = ListDeadLettersRequest { workspace_id: WORKSPACE, limit: 0, before_id: 0 };
        self.runs.clone().list_dead_letters(request).await.unwrap().into_inner().dead_letters
    }

    async fn replay(&self, letter: &DeadLetterEntry) {
        let request = DeadLetterRequest { workspace_id: WORKSPACE, id: letter.id };
        self.runs.clone().replay_dead_letter(request).await.unwrap();
    }

    async fn size(&self) -> Size {
        let Engine::Sqlite(sqlite) = &self.ground.engine else { panic!("not SQLite") };
        sqlite.size().await.unwrap()
    }
}

/// Nothing where the database is no file.
async fn filled(runs: usize) -> Option<Filled> {
    if store_kind() != StoreKind::Sqlite {
        return None;
    }
    let (folder, peers, partner) = (tempfile::tempdir().unwrap(), Peers::default(), Partner::new().await);
    let life = Life::begin(folder.path(), &peers, 0).await;
    let connection = peers.connect(&partner);
    let (_, source) = peers.publish(launch(peers.connect(&partner)));
    let (_, waiting) = peers.publish(import(connection));
    peers.set_connection(connection, "disconnected");
    partner.script([Answer::refuses(402, "no")]);
    life.fire(source, "refused", 6_000).await;
    life.when_is("refused", "failed").await;
    life.fire(waiting, "waiting", 140_000).await;
    life.when_is("waiting", "waiting").await;
    for number in 0..runs {
        life.fire(source, &format!("e{number:04}"), 6_000).await;
    }
    let finished = wait_for("all runs to finish", PATIENCE, || async {
        let finished = life.finished().await;
        (finished.len() == runs + 1).then_some(finished)
    })
    .await;
    let size = life.size().await;
    life.end().await;
    Some(Filled { folder, peers, partner, source, connection, size, finished })
}

#[tokio::test]
async fn the_oldest_finished_runs_make_room_and_nothing_else_does() {
    let Some(Filled { folder, peers, source, connection, size, finished, partner }) = filled(120).await else { return };
    let bound = size.used / 2;
    let life = Life::begin(folder.path(), &peers, bound).await;
    let url = store_url(folder.path());
    let path = url.strip_prefix("sqlite://").unwrap();
    wait_for("the file to be shorter", PATIENCE, || async {
        (fs::metadata(path).unwrap().len() <= bound).then_some(())
    })
    .await;
    let after = life.size().await;
    assert!(after.used <= after.file && after.file <= bound, "{after:?}");

    let left = life.finished().await;
    let ids: BTreeSet<&[u8]> = left.iter().map(|run| run.id.as_ref()).collect();
    let (kept, gone): (Vec<&Run>, Vec<&Run>) =
        finished.iter().filter(|run| run.status == "succeeded").partition(|run| ids.contains(run.id.as_ref()));
    assert!(kept.len() > 20 && gone.len() > 20, "{} are left of {}", kept.len(), finished.len());
    let (first_kept, last_gone) =
        (kept.iter().map(|run| run.finished_at).min(), gone.iter().map(|run| run.finished_at).max());
    assert!(last_gone <= first_kept, "the oldest go first");

    // What is gone is remembered: its event begins no second run.
    let event = &gone[0].event_id;
    life.fire(source, event, 10).await;
    life.fire(source, "later", 10).await;
    life.when_is("later", "succeeded").await;
    assert_eq!(life.runs_of(event).await, []);
    peers.set_connection(connection, "active");
    life.when_is("waiting", "succeeded").await;
    let letters = life.dead_letters().await;
    assert_eq!(letters.iter().map(|letter| letter.event_id.as_str()).collect::<Vec<_>>(), ["refused"]);
    life.replay(&letters[0]).await;
    assert_eq!(life.when_is("refused", "succeeded").await.attempt, 2);
    assert_eq!(partner.calls().len(), 120 + 4);
    life.end().await;
}

#[tokio::test]
async fn a_bound_that_cannot_be_kept_is_told_once_and_loses_nothing() {
    let Some(Filled { folder, peers, source, connection, partner, .. }) = filled(5).await else { return };
    let warnings = Warnings::default();
    let _guard = tracing::subscriber::set_default(warnings.clone());
    let life = Life::begin(folder.path(), &peers, 1).await;
    for (event, calls) in [("one more", 7), ("and another", 8)] {
        life.fire(source, event, 10).await;
        partner.asked(calls).await;
        wait_for("a finished run to go", PATIENCE, || async { life.runs_of(event).await.is_empty().then_some(()) })
            .await;
    }
    let told = warnings.0.lock().unwrap().clone();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("hint=open runs fill it") && told[0].contains("retention.max_bytes"), "{told:?}");

    let finished = life.finished().await;
    assert_eq!(finished.iter().map(|run| run.event_id.as_str()).collect::<Vec<_>>(), ["refused"]);
    life.replay(&life.dead_letters().await[0]).await;
    life.when_is("waiting", "waiting").await;
    peers.set_connection(connection, "active");
    partner.asked(10).await;
    wait_for("all to go", PATIENCE, || async { life.finished().await.is_empty().then_some(()) }).await;
    let done = partner.done();
    assert_eq!(done, ["and another", "e0000", "e0001", "e0002", "e0003", "e0004", "one more", "refused", "waiting"]);
    assert_eq!((life.dead_letters().await, life.list(of_workspace()).await), (vec![], vec![]));
    life.end().await;
}

/// Text that can't be packed, always the same for the same seed.
fn noise(seed: &str, length: usize) -> String {
    let mut state =
        seed.bytes().fold(0x9E37_79B9_7F4A_7C15_u64, |state, byte| (state ^ u64::from(byte)).rotate_left(9));
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'0' + u8::try_from(state % 64).unwrap())
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// The warnings about the bound that were logged.
#[derive(Debug, Clone, Default)]
struct Warnings(Arc<Mutex<Vec<String>>>);

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::WARN
    }

    fn event(&self, event: &Event<'_>) {
        let mut words = Words::default();
        event.record(&mut words);
        if words.0.contains("retention.max_bytes") {
            self.0.lock().unwrap().push(words.0);
        }
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

/// The fields of an event, one after another.
#[derive(Debug, Default)]
struct Words(String);

impl Visit for Words {
    fn record_str(&mut self, field: &Field, value: &str) {
        let _ = write!(self.0, " {field}={value}");
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, " {field}={value:?}");
    }
}
