//! Altcraft's HTTP API, version 1.1: every method is a `POST` that answers HTTP 200 with its own `error` code inside.
//! Only the quick import answers by HTTP status.

mod batch;
mod body;
mod changes;
mod database;
mod envelope;
mod fields;
mod goals;
mod import;
mod index;
pub(crate) mod inspection;
mod launching;
mod lists;
mod matching;
mod methods;
mod numbers;
mod paging;
mod parameters;
mod profiles;
mod quick;
mod reading;
mod resources;
mod segments;
mod subscribing;
mod subscriptions;
mod token;
mod triggers;
mod workflows;
mod xml;

use std::collections::BTreeMap;
use std::sync::Mutex;

use axum::http::{Method, StatusCode};
use patchbay_types::Timestamp;

use crate::altcraft::database::Database;
use crate::altcraft::envelope::{Format, Refusal, Success};
use crate::altcraft::goals::Goal;
use crate::altcraft::parameters::Parameters;
use crate::altcraft::segments::Segment;
use crate::altcraft::triggers::Trigger;
use crate::altcraft::workflows::Workflow;
use crate::call::{Answer, Call};
use crate::ring::Ring;
use crate::state::lock;

/// The account and all that became of calls.
#[derive(Debug)]
pub(crate) struct Altcraft {
    databases: BTreeMap<i64, Database>,
    workflows: BTreeMap<i64, Workflow>,
    triggers: BTreeMap<i64, Trigger>,
    segments: BTreeMap<i64, Segment>,
    goals: Ring<Goal>,
    last_profile: u64,
    last_task: u64,
}

impl Default for Altcraft {
    fn default() -> Self {
        Self {
            databases: database::all(),
            workflows: workflows::all(),
            triggers: triggers::all(),
            segments: segments::all(),
            goals: goals::none(),
            last_profile: 0,
            last_task: 0,
        }
    }
}

impl Altcraft {
    /// Forgets what calls did. Ids of profiles and tasks go on.
    pub(crate) fn clear(&mut self) {
        *self = Self { last_profile: self.last_profile, last_task: self.last_task, ..Self::default() };
    }
}

/// Answers one call. The account is locked only after its body was parsed.
pub(crate) fn answer(altcraft: &Mutex<Altcraft>, call: &Call, now: Timestamp) -> Answer {
    let Some(body) = &call.body else {
        let refusal = Refusal::new(413, "The request body is too large");
        return refusal.into_answer(StatusCode::PAYLOAD_TOO_LARGE, Format::Json);
    };
    if call.route() == quick::PATH {
        return quick::answer(altcraft, call, now);
    }
    let Some((right, handler)) = call.route().strip_prefix("/api/v1.1/").and_then(methods::find) else {
        return Refusal::not_found("Method not found").into_answer(StatusCode::NOT_FOUND, Format::Json);
    };
    if call.method != Method::POST {
        return Refusal::new(405, "Use POST").into_answer(StatusCode::METHOD_NOT_ALLOWED, Format::Json);
    }
    let mut format = Format::Json;
    let outcome = Parameters::parse(body, body::is_xml(call)).and_then(|parameters| -> Result<Success, Refusal> {
        token::check(call, &parameters, right)?;
        format = body::format(call, &parameters)?;
        handler(&mut lock(altcraft), parameters, now)
    });
    match outcome {
        Ok(success) => success.into_answer(format),
        Err(refusal) => refusal.into_answer(StatusCode::OK, format),
    }
}
