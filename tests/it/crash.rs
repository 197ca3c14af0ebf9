//! The process is killed again and again under load: nothing accepted is lost, nothing is done twice without leave.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use patchbay_testing::{http, wait_for};
use serde_json::{Value, json};

use crate::house::{PATIENCE, Person, create_user, launch, post, sandbox, settings, up};

const KILLS: u64 = 20;
const POSTERS: usize = 8;

/// Moments of death, spread by a fixed rule so that a failure can be looked at again.
fn life(kill: u64) -> Duration {
    Duration::from_millis(60 + kill * 7_919 % 400)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_done_twice_when_the_process_is_killed_under_load() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = sandbox();
    let settings = settings(&sandbox);
    create_user(folder.path());
    let house = up(folder.path(), &settings);
    let person = Person::log_in(&house).await;
    let connection = person.connect(sandbox.address("listen")).await;
    let (_, hook) = person.automate(launch(connection)).await;

    let accepted = Arc::new(Mutex::new(BTreeSet::new()));
    let numbers = Arc::new(AtomicU64::new(0));
    let mut house = Some(house);
    for kill in 0..KILLS {
        let running = house.take().unwrap_or_else(|| up(folder.path(), &settings));
        let posting = load(running.address("listen"), &hook, &accepted, &numbers);
        tokio::time::sleep(life(kill)).await;
        running.kill();
        posting.end().await;
    }

    let house = up(folder.path(), &settings);
    let person = Person::log_in(&house).await;
    let accepted = accepted.lock().unwrap().clone();
    let partner = sandbox.address("listen");
    let (runs, calls, entries) = wait_for("every run to end or to wait for a person", PATIENCE, async || {
        let runs = person.runs("").await;
        let over = |run: &Value| matches!(run["status"].as_str(), Some("succeeded" | "failed" | "outcome_unknown"));
        if !runs.iter().all(over) || !all_accepted(&runs, &accepted) {
            return None;
        }
        let calls = by_email(partner, "/_/requests?path=/api/v1.1/workflows/import_and_start", |call| {
            call["body"]["email"].as_str().map(str::to_owned)
        });
        let entries =
            by_email(partner, "/_/altcraft/workflows/12/entries", |entry| entry["email"].as_str().map(str::to_owned));
        let (calls, entries) = (calls.await, entries.await);
        // Events that were durable when their answer was cut off may still become runs: what the partner saw belongs to
        // these runs only if there are no others meanwhile.
        (person.runs("").await == runs).then_some((runs, calls, entries))
    })
    .await;
    check(&runs, &accepted, &calls, &entries);
    assert!(accepted.len() > 200, "the load was too small to mean anything: {}", accepted.len());
    assert_eq!(house.terminate(), Some(0));
}

fn all_accepted(runs: &[Value], accepted: &BTreeSet<String>) -> bool {
    let known: BTreeSet<&str> = runs.iter().filter_map(|run| run["event_id"].as_str()).collect();
    accepted.iter().all(|id| known.contains(id.as_str()))
}

fn check(
    runs: &[Value],
    accepted: &BTreeSet<String>,
    calls: &BTreeMap<String, usize>,
    entries: &BTreeMap<String, usize>,
) {
    let mut runs_of: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for run in runs {
        runs_of.entry(run["event_id"].as_str().unwrap()).or_default().push(run["status"].as_str().unwrap());
    }
    for id in accepted {
        assert_eq!(runs_of.get(id.as_str()).map(Vec::len), Some(1), "accepted event {id} has exactly one run");
    }
    for (id, statuses) in &runs_of {
        assert_eq!(statuses.len(), 1, "event {id} has one run at the most");
        let email = format!("{id}@shop.test");
        let (called, entered) = (calls.get(&email).copied().unwrap_or(0), entries.get(&email).copied().unwrap_or(0));
        match statuses[0] {
            "succeeded" => assert_eq!((called, entered), (1, 1), "the step of {id} is sent once and done once"),
            "outcome_unknown" => {
                assert!(called <= 1 && entered <= 1, "the step of {id} is not sent twice without leave")
            }
            status => panic!("the run of {id} is {status}, though its partner never refused"),
        }
    }
    for email in entries.keys() {
        let id = email.trim_end_matches("@shop.test");
        assert!(runs_of.contains_key(id), "the entry of {email} belongs to a run");
    }
}

async fn by_email(partner: &str, path: &str, email: impl Fn(&Value) -> Option<String>) -> BTreeMap<String, usize> {
    let rows = http::call(partner, "GET", path, &[], b"").await.unwrap().json();
    let mut counts = BTreeMap::new();
    for email in rows["items"].as_array().unwrap().iter().filter_map(email) {
        *counts.entry(email).or_default() += 1;
    }
    counts
}

/// People who post as fast as they are answered.
struct Load {
    stop: Arc<AtomicBool>,
    posters: Vec<tokio::task::JoinHandle<()>>,
}

fn load(address: &str, hook: &str, accepted: &Arc<Mutex<BTreeSet<String>>>, numbers: &Arc<AtomicU64>) -> Load {
    let stop = Arc::new(AtomicBool::new(false));
    let posters = (0..POSTERS)
        .map(|_| {
            let (stop, accepted, numbers) = (Arc::clone(&stop), Arc::clone(accepted), Arc::clone(numbers));
            let (address, hook) = (address.to_owned(), hook.to_owned());
            tokio::task::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let id = format!("order-{}", numbers.fetch_add(1, Ordering::Relaxed));
                    let body = json!({"email": format!("{id}@shop.test"), "first_name": "ann"});
                    match post(&address, &hook, &id, &body).await {
                        Some(answer) if answer.status == 200 => {
                            accepted.lock().unwrap().insert(id);
                        }
                        _ => tokio::time::sleep(Duration::from_millis(5)).await,
                    }
                }
            })
        })
        .collect();
    Load { stop, posters }
}

impl Load {
    async fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        for poster in self.posters {
            poster.await.unwrap();
        }
    }
}
