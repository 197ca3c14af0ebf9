//! Altcraft's HTTP API, version 1.1: every method is a `POST` that answers HTTP 200 with its own `error` code inside.

mod changes;
mod database;
mod envelope;
mod index;
mod lists;
mod matching;
mod parameters;
mod profiles;
mod subscriptions;
mod workflows;

use std::collections::BTreeMap;
use std::sync::Mutex;

use axum::http::{Method, StatusCode, header};
use patchbay_types::Timestamp;
use serde_json::Value;

use crate::altcraft::database::Database;
use crate::altcraft::envelope::{Refusal, Success};
use crate::altcraft::parameters::Parameters;
use crate::altcraft::workflows::{Entry, Workflow};
use crate::call::{Answer, Call};
use crate::ring::Ring;
use crate::state::lock;

/// The one token of the account.
const TOKEN: &str = "sandbox-altcraft-token";

/// The account: two databases and three scenarios.
#[derive(Debug)]
pub(crate) struct Altcraft {
    databases: BTreeMap<i64, Database>,
    workflows: BTreeMap<i64, Workflow>,
    entries: BTreeMap<i64, Ring<Entry>>,
    last_profile: u64,
}

impl Default for Altcraft {
    fn default() -> Self {
        let workflows = workflows::all();
        Self {
            databases: database::all(),
            entries: workflows.keys().map(|id| (*id, workflows::no_entries())).collect(),
            workflows,
            last_profile: 0,
        }
    }
}

impl Altcraft {
    /// Forgets profiles and entries. Ids of profiles go on.
    pub(crate) fn clear(&mut self) {
        *self = Self { last_profile: self.last_profile, ..Self::default() };
    }

    /// The profiles of one database, or of all, as `profiles/get` shows them.
    pub(crate) fn profile_rows(&self, database: Option<i64>) -> Vec<Value> {
        self.databases
            .iter()
            .filter(|(id, _)| database.is_none_or(|wanted| wanted == **id))
            .flat_map(|(id, database)| database.profiles.iter().map(|profile| profile.row(*id)))
            .collect()
    }

    /// Who entered a scenario, oldest first, or `None` when there is no such scenario.
    pub(crate) fn entries(&self, workflow: i64) -> Option<Vec<Entry>> {
        let entries = self.entries.get(&workflow)?;
        Some(entries.iter().map(|(_, entry)| entry.clone()).collect())
    }
}

/// Answers one call. The account is locked only after its body was parsed.
pub(crate) fn answer(altcraft: &Mutex<Altcraft>, call: &Call, now: Timestamp) -> Answer {
    let Some(body) = &call.body else {
        let refusal = Refusal::new(413, "The request body is too large");
        return refusal.into_answer(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let Some(handler) = call.route().strip_prefix("/api/v1.1/").and_then(handler) else {
        return Refusal::not_found("Method not found").into_answer(StatusCode::NOT_FOUND);
    };
    if call.method != Method::POST {
        return Refusal::new(405, "Use POST").into_answer(StatusCode::METHOD_NOT_ALLOWED);
    }
    let outcome = Parameters::parse(body).and_then(|parameters| {
        check_token(call, &parameters)?;
        handler(&mut lock(altcraft), parameters, now)
    });
    match outcome {
        Ok(success) => success.into_answer(),
        Err(refusal) => refusal.into_answer(StatusCode::OK),
    }
}

type Handler = fn(&mut Altcraft, Parameters, Timestamp) -> Result<Success, Refusal>;

fn handler(method: &str) -> Option<Handler> {
    Some(match method {
        "databases/list" => lists::databases,
        "workflows/list" => lists::workflows,
        "profiles/import" => profiles::import,
        "profiles/get" => profiles::get,
        "workflows/import_and_start" => workflows::import_and_start,
        _ => return None,
    })
}

/// The token may come in the body, as a Bearer or in the URL; the first of these that is there counts.
fn check_token(call: &Call, parameters: &Parameters) -> Result<(), Refusal> {
    let token = match parameters.get("token") {
        Some(Value::String(token)) => Some(token.clone()),
        Some(_) => return Err(Refusal::new(401, "API token is not a string")),
        None => bearer(call).or_else(|| call.query_value("token")),
    };
    match token {
        None => Err(Refusal::new(401, "API token required")),
        Some(token) if token != TOKEN => Err(Refusal::new(401, "API token is unknown")),
        Some(_) => Ok(()),
    }
}

fn bearer(call: &Call) -> Option<String> {
    let (scheme, token) = call.headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}
