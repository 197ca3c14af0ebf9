//! Every process, the broker and the database are killed again and again under a steady load, in an order that a seed
//! decides: nothing accepted is lost, and nothing is done twice without leave.
//!
//! `PATCHBAY_CHAOS_SECONDS` and `PATCHBAY_CHAOS_SEED` choose a longer or another history.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use patchbay_testing::instances::{PostgresServer, RabbitServer};
use tokio::task::JoinHandle;

use crate::{
    house::{Process, launch, sandbox},
    ledger::{Load, say, settle},
    mesh::{self, Ground, Mesh},
};

const SECONDS: u64 = 60;
const SEED: u64 = 20_261_121;
const POSTERS: usize = 8;
/// Between two posts of one person.
const PAUSE: Duration = Duration::from_millis(40);
/// How long what is left may take when nothing is killed any more.
const REST: Duration = Duration::from_secs(120);

/// Numbers that a seed decides (xorshift64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % below as u64).unwrap()
    }

    fn millis(&mut self, from: usize, to: usize) -> Duration {
        Duration::from_millis((from + self.roll(to - from)) as u64)
    }
}

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

/// A server that is killed, and started again by a thread of its own.
struct Victim<S> {
    server: Arc<S>,
    kill: fn(&S),
    start_again: fn(&S),
    starting: Option<JoinHandle<()>>,
}

impl<S: Send + Sync + 'static> Victim<S> {
    fn new(server: S, kill: fn(&S), start_again: fn(&S)) -> Self {
        Self { server: Arc::new(server), kill, start_again, starting: None }
    }

    fn is_up(&self) -> bool {
        self.starting.as_ref().is_none_or(JoinHandle::is_finished)
    }

    fn strike(&mut self, down: Duration) {
        (self.kill)(&self.server);
        let (server, start_again) = (Arc::clone(&self.server), self.start_again);
        self.starting = Some(tokio::task::spawn_blocking(move || {
            std::thread::sleep(down);
            start_again(&server);
        }));
    }

    async fn up(&mut self) {
        if let Some(starting) = self.starting.take() {
            starting.await.unwrap();
        }
    }
}

/// Everything that can be killed.
struct House {
    mesh: Mesh,
    postgres: Victim<PostgresServer>,
    rabbit: Victim<RabbitServer>,
    sandbox: Process,
}

impl House {
    async fn build() -> Self {
        let (postgres, rabbit) = (PostgresServer::start(), RabbitServer::start());
        let sandbox = sandbox();
        let ground = Ground { store: postgres.url(), broker: rabbit.url(), prefix: "patchbay".to_owned() };
        let mesh = Mesh::start(&ground, &mesh::settings(&sandbox), &["action-executor", "webhook-ingress"]).await;
        let postgres = Victim::new(postgres, PostgresServer::kill, PostgresServer::start_again);
        let rabbit = Victim::new(rabbit, RabbitServer::kill, RabbitServer::start_again);
        Self { mesh, postgres, rabbit, sandbox }
    }

    /// Kills one of all, waits, and starts it again. A server starts beside what comes next, since it takes its time.
    async fn strike(&mut self, dice: &mut Dice, kills: &mut BTreeMap<String, usize>) {
        let names = self.mesh.names();
        let down = dice.millis(50, 1_500);
        let name = match dice.roll(names.len() + 2) {
            0 if self.postgres.is_up() => {
                self.postgres.strike(down);
                "postgresql"
            }
            1 if self.rabbit.is_up() => {
                self.rabbit.strike(down);
                "rabbitmq"
            }
            index => {
                let name = names[index.max(2) - 2].as_str();
                self.mesh.member(name).kill();
                tokio::time::sleep(down).await;
                self.mesh.run(name);
                name
            }
        };
        *kills.entry(name.to_owned()).or_default() += 1;
    }

    /// Starts what ended by itself meanwhile, as an operator's supervisor does.
    fn revive(&mut self, restarts: &mut BTreeMap<String, usize>) {
        for name in self.mesh.names() {
            if !self.mesh.member(&name).is_running() {
                *restarts.entry(name.clone()).or_default() += 1;
                self.mesh.run(&name);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_done_twice_when_everything_is_killed_under_load() {
    let length = Duration::from_secs(number("PATCHBAY_CHAOS_SECONDS", SECONDS));
    let seed = number("PATCHBAY_CHAOS_SEED", SEED);
    let mut dice = Dice(seed.max(1));
    let mut house = House::build().await;
    let person = house.mesh.log_in().await;
    let connection = person.connect(house.sandbox.address("listen")).await;
    let (_, hook) = person.automate(launch(connection)).await;
    let ingresses = ["webhook-ingress", "webhook-ingress-2"].map(|name| house.mesh.members[name].listen().to_owned());

    let load = Load::begin(&ingresses, &hook, POSTERS, PAUSE);
    let begun = Instant::now();
    let (mut kills, mut restarts) = (BTreeMap::new(), BTreeMap::new());
    while begun.elapsed() < length {
        tokio::time::sleep(dice.millis(200, 1_500)).await;
        house.strike(&mut dice, &mut kills).await;
        house.revive(&mut restarts);
    }
    let (accepted, refused) = load.end().await;
    house.postgres.up().await;
    house.rabbit.up().await;
    house.revive(&mut restarts);
    for name in house.mesh.names() {
        house.mesh.ready(&name).await;
    }
    let rested = Instant::now();
    let person = house.mesh.log_in().await;
    let report = settle(&person, house.sandbox.address("listen"), &accepted, REST).await;

    say(&format!(
        "chaos: seed {seed}, {} s, kills {kills:?}, ended by themselves {restarts:?}; {report}; not accepted {refused}; \
         settled {} s after the last kill",
        length.as_secs(),
        rested.elapsed().as_secs()
    ));
    assert_eq!((&report.lost, &report.doubled, &report.repeated, &report.wrong), (&vec![], &vec![], &vec![], &vec![]));
    assert_eq!(report.runs.keys().find(|status| !["succeeded", "outcome_unknown"].contains(&status.as_str())), None);
    assert!(
        accepted.len() as u64 > length.as_secs() * 5,
        "the load was too small to mean anything: {}",
        accepted.len()
    );
}
