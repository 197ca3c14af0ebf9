//! One scenario file, unchanged, on every deployment: one process with nothing beside it, and the mesh.
//!
//! A scenario is a list of calls. Each names whom it calls (`api`, `hooks` or `sandbox`), and what must come back; a call with
//! `until: true` is repeated until it does. `${name}` stands for what an earlier call saved.

use std::{collections::BTreeMap, path::Path};

use patchbay_testing::{http, wait_for};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    house::{PATIENCE, Person, create_user, sandbox, settings, up},
    mesh::{self, Ground, Mesh},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    name: String,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    step: String,
    on: Whom,
    call: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// JSON, unless it is a text.
    #[serde(default)]
    body: Value,
    #[serde(default)]
    until: bool,
    expect: Expectation,
    /// Names for parts of the answer, by JSON pointer.
    #[serde(default)]
    save: BTreeMap<String, String>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Whom {
    /// The native REST API, as the first user.
    Api,
    /// The listener of hooks.
    Hooks,
    /// The partner sandbox.
    Sandbox,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expectation {
    status: u16,
    /// The whole body.
    text: Option<String>,
    /// What the body contains: objects may have more keys, lists are as long and in the same order.
    #[serde(default)]
    json: Value,
}

/// Where the parts of a deployment are.
struct Deployment {
    person: Person,
    hooks: String,
    sandbox: String,
}

impl Deployment {
    async fn play(&self, text: &str) {
        let scenario: Scenario = serde_saphyr::from_str(text).unwrap();
        let mut names =
            BTreeMap::from([("sandbox".to_owned(), self.sandbox.clone()), ("hooks".to_owned(), self.hooks.clone())]);
        for step in &scenario.steps {
            let what = format!("{}: {}", scenario.name, step.step);
            let saved = match step.until {
                true => wait_for(&what, PATIENCE, async || self.perform(step, &names).await.ok()).await,
                false => match self.perform(step, &names).await {
                    Ok(saved) => saved,
                    Err(difference) => panic!("{what}: {difference}"),
                },
            };
            names.extend(saved);
        }
    }

    /// One call. What it saves, or how the answer differs.
    async fn perform(&self, step: &Step, names: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, String> {
        let address = match step.on {
            Whom::Api => self.person.address(),
            Whom::Hooks => &self.hooks,
            Whom::Sandbox => &self.sandbox,
        };
        let call = fill(&step.call, names);
        let (method, path) = call.split_once(' ').unwrap();
        let mut headers: Vec<(String, String)> =
            step.headers.iter().map(|(name, value)| (name.clone(), fill(value, names))).collect();
        let has = |headers: &[(String, String)], wanted: &str| headers.iter().any(|(name, _)| name == wanted);
        if step.on == Whom::Api && !has(&headers, "authorization") {
            headers.push(("authorization".to_owned(), self.person.authorization().to_owned()));
        }
        let body = match &step.body {
            Value::Null => String::new(),
            Value::String(text) => fill(text, names),
            other => fill(&other.to_string(), names),
        };
        if !body.is_empty() && !has(&headers, "content-type") {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answer = http::call(address, method, path, &headers, body.as_bytes()).await;
        let answer = answer.map_err(|error| error.to_string())?;
        if answer.status != step.expect.status {
            return Err(format!("status {} instead of {}: {}", answer.status, step.expect.status, answer.body));
        }
        if let Some(text) = step.expect.text.as_ref().filter(|text| **text != answer.body) {
            return Err(format!("body {:?} instead of {text:?}", answer.body));
        }
        let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        let expected: Value = serde_json::from_str(&fill(&step.expect.json.to_string(), names)).unwrap();
        if !contains(&body, &expected) {
            return Err(format!("{body:#} does not contain {expected:#}"));
        }
        let saved = step.save.iter().map(|(name, pointer)| {
            let found = body.pointer(pointer).ok_or_else(|| format!("no {pointer} in {body:#}"))?;
            Ok((name.clone(), found.as_str().map_or_else(|| found.to_string(), str::to_owned)))
        });
        saved.collect()
    }
}

/// Puts what was saved in place of `${name}`; `"${name:int}"` becomes a number.
fn fill(text: &str, names: &BTreeMap<String, String>) -> String {
    names.iter().fold(text.to_owned(), |text, (name, value)| {
        let path = value.find("/hooks/").map_or(value.as_str(), |at| &value[at..]);
        text.replace(&format!("\"${{{name}:int}}\""), value)
            .replace(&format!("${{{name}:path}}"), path)
            .replace(&format!("${{{name}}}"), value)
    })
}

fn contains(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (_, Value::Null) => true,
        (Value::Object(found), Value::Object(expected)) => {
            expected.iter().all(|(key, value)| found.get(key).is_some_and(|found| contains(found, value)))
        }
        (Value::Array(found), Value::Array(expected)) => {
            found.len() == expected.len() && found.iter().zip(expected).all(|(found, value)| contains(found, value))
        }
        (found, expected) => found == expected,
    }
}

const MAIN_JOB: &str = include_str!("scenarios/main_job.yaml");

#[tokio::test]
async fn the_main_job_on_one_process_with_nothing_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = sandbox();
    create_user(folder.path());
    let house = up(folder.path(), &settings(&sandbox));
    let person = Person::log_in(&house).await;
    let hooks = house.address("listen").to_owned();
    Deployment { person, hooks, sandbox: sandbox.address("listen").to_owned() }.play(MAIN_JOB).await;
    assert_eq!(house.terminate(), Some(0));
}

#[tokio::test]
async fn the_main_job_on_one_process_over_postgresql_and_rabbitmq() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = sandbox();
    let ground = Ground::shared();
    let mut settings = settings(&sandbox);
    settings.push(("PATCHBAY__STORE__URL", ground.store));
    settings.push(("PATCHBAY__BROKER__URL", ground.broker));
    settings.push(("PATCHBAY__BROKER__PREFIX", ground.prefix));
    let environment: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    migrate_and_create_user(folder.path(), &environment);
    let house = up(folder.path(), &settings);
    let person = Person::log_in(&house).await;
    let hooks = house.address("listen").to_owned();
    Deployment { person, hooks, sandbox: sandbox.address("listen").to_owned() }.play(MAIN_JOB).await;
    assert_eq!(house.terminate(), Some(0));
}

#[tokio::test]
async fn the_main_job_on_seven_processes_over_postgresql_and_rabbitmq() {
    let sandbox = sandbox();
    let mesh = Mesh::start(&Ground::shared(), &mesh::settings(&sandbox), &[]).await;
    let person = mesh.log_in().await;
    let hooks = mesh.members["webhook-ingress"].listen().to_owned();
    Deployment { person, hooks, sandbox: sandbox.address("listen").to_owned() }.play(MAIN_JOB).await;
}

fn migrate_and_create_user(data: &Path, environment: &[(&str, &str)]) {
    let data = ["--data-dir", data.to_str().unwrap()];
    let migrated = crate::house::command(&[&["migrate"][..], &data[..]].concat(), environment)
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(migrated.success(), "patchbay migrate failed");
    crate::house::create_user_named("ann@example.com", &data, environment);
}

#[test]
fn what_is_expected_may_be_less_than_what_is_there() {
    let found = json!({"a": 1, "b": [{"c": 2, "d": 3}]});
    assert!(contains(&found, &json!({"b": [{"c": 2}]})));
    assert!(!contains(&found, &json!({"b": []})));
    assert!(!contains(&found, &json!({"a": 2})));
    assert!(!contains(&found, &json!({"e": 2})));
}
