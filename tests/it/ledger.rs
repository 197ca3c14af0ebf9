//! What was accepted, what became of it, and what the partner saw: the account that every test of crashes settles.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    io::Write as _,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use patchbay_testing::{http, wait_for};
use serde_json::{Value, json};

use crate::house::{Person, post};

/// Events that were accepted, by id.
pub(crate) type Accepted = Arc<Mutex<BTreeSet<String>>>;

/// People who post, each at most every `pause`, in turns to all addresses.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    posters: Vec<tokio::task::JoinHandle<()>>,
    pub(crate) accepted: Accepted,
    refused: Arc<AtomicU64>,
}

impl Load {
    pub(crate) fn begin(addresses: &[String], hook: &str, posters: usize, pause: Duration) -> Self {
        let (stop, accepted) = (Arc::new(AtomicBool::new(false)), Accepted::default());
        let (numbers, refused) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let posters = (0..posters)
            .map(|poster| {
                let (stop, accepted) = (Arc::clone(&stop), Arc::clone(&accepted));
                let (numbers, refused) = (Arc::clone(&numbers), Arc::clone(&refused));
                let (address, hook) = (addresses[poster % addresses.len()].clone(), hook.to_owned());
                tokio::task::spawn(async move {
                    while !stop.load(Ordering::Relaxed) {
                        let id = format!("order-{}", numbers.fetch_add(1, Ordering::Relaxed));
                        let body = json!({"email": format!("{id}@shop.test"), "first_name": "ann"});
                        match post(&address, &hook, &id, &body).await {
                            Some(answer) if answer.status == 200 => {
                                accepted.lock().unwrap().insert(id);
                            }
                            _ => {
                                refused.fetch_add(1, Ordering::Relaxed);
                            }
                        }
                        tokio::time::sleep(pause).await;
                    }
                })
            })
            .collect();
        Self { stop, posters, accepted, refused }
    }

    /// Ends the posting. Gives the ids of what was accepted, and how many were not.
    pub(crate) async fn end(self) -> (BTreeSet<String>, u64) {
        self.stop.store(true, Ordering::Relaxed);
        for poster in self.posters {
            poster.await.unwrap();
        }
        let accepted = self.accepted.lock().unwrap().clone();
        (accepted, self.refused.load(Ordering::Relaxed))
    }
}

/// What was found when everything had come to rest.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) accepted: usize,
    pub(crate) runs: BTreeMap<String, usize>,
    /// Accepted events without a run.
    pub(crate) lost: Vec<String>,
    /// Events with more than one run.
    pub(crate) doubled: Vec<String>,
    /// Steps that were sent more than once although their outcome was not known to be a failure.
    pub(crate) repeated: Vec<String>,
    /// Runs that say they succeeded, whose step the partner did not do exactly once.
    pub(crate) wrong: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "accepted {}, runs {:?}, lost {}, doubled {}, repeated {}, wrong {}",
            self.accepted,
            self.runs,
            self.lost.len(),
            self.doubled.len(),
            self.repeated.len(),
            self.wrong.len()
        )
    }
}

/// Waits until every accepted event has a run and every run is over or waits for a person, then compares with the partner.
pub(crate) async fn settle(person: &Person, partner: &str, accepted: &BTreeSet<String>, patience: Duration) -> Report {
    let settled = async || {
        let runs = person.all_runs().await;
        let over = |run: &Value| {
            matches!(run["status"].as_str(), Some("succeeded" | "failed" | "cancelled" | "outcome_unknown"))
        };
        let known: BTreeSet<&str> = runs.iter().filter_map(|run| run["event_id"].as_str()).collect();
        if !runs.iter().all(over) || !accepted.iter().all(|id| known.contains(id.as_str())) {
            return None;
        }
        let calls = by_email(partner, "/_/requests?path=/api/v1.1/workflows/import_and_start", "/body/email").await;
        let entries = by_email(partner, "/_/altcraft/workflows/12/entries", "/email").await;
        // Events that were durable when their answer was cut off may still become runs.
        (person.all_runs().await.len() == runs.len()).then(|| compare(&runs, accepted, &calls, &entries))
    };
    let deadline = tokio::time::Instant::now() + patience;
    loop {
        if let Some(report) = settled().await {
            return report;
        }
        if tokio::time::Instant::now() > deadline {
            let runs = person.all_runs().await;
            return compare(&runs, accepted, &BTreeMap::new(), &BTreeMap::new());
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

fn compare(
    runs: &[Value],
    accepted: &BTreeSet<String>,
    calls: &BTreeMap<String, usize>,
    entries: &BTreeMap<String, usize>,
) -> Report {
    let mut report = Report { accepted: accepted.len(), ..Report::default() };
    let mut runs_of: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for run in runs {
        let status = run["status"].as_str().unwrap();
        runs_of.entry(run["event_id"].as_str().unwrap()).or_default().push(status);
        *report.runs.entry(status.to_owned()).or_default() += 1;
    }
    report.lost.extend(accepted.iter().filter(|id| !runs_of.contains_key(id.as_str())).cloned());
    for (id, statuses) in runs_of {
        if statuses.len() > 1 {
            report.doubled.push(id.to_owned());
        }
        let email = format!("{id}@shop.test");
        let (called, entered) = (calls.get(&email).copied().unwrap_or(0), entries.get(&email).copied().unwrap_or(0));
        if called > 1 {
            report.repeated.push(id.to_owned());
        }
        if statuses[0] == "succeeded" && entered != 1 {
            report.wrong.push(id.to_owned());
        }
    }
    report
}

async fn by_email(partner: &str, path: &str, pointer: &str) -> BTreeMap<String, usize> {
    let rows = http::call(partner, "GET", path, &[], b"").await.unwrap().json();
    let mut counts = BTreeMap::new();
    for email in rows["items"].as_array().unwrap().iter().filter_map(|row| row.pointer(pointer)?.as_str()) {
        *counts.entry(email.to_owned()).or_default() += 1;
    }
    counts
}

/// Waits until this many events were accepted.
pub(crate) async fn accepted(load: &Load, count: usize, patience: Duration) {
    wait_for(&format!("{count} accepted events"), patience, async || {
        (load.accepted.lock().unwrap().len() >= count).then_some(())
    })
    .await;
}

/// Prints a report, also where what tests print is only shown when they fail.
pub(crate) fn say(report: &str) {
    std::io::stderr().write_all(format!("{report}\n").as_bytes()).unwrap();
}
