//! The way of every request that is meant for a partner: read, recorded, perhaps spoilt by a fault, answered.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use crate::altcraft;
use crate::call::{Answer, Call, closed_connection};
use crate::crm;
use crate::faults::{Fault, Spoilt, When};
use crate::state::{self, lock};

/// Whose paths these are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Partner {
    Altcraft,
    Crm,
    /// Nobody's: recorded, open to faults, otherwise not found.
    Unknown,
}

impl Partner {
    pub(crate) fn of(path: &str) -> Self {
        match path.split('/').nth(1) {
            Some("api") => Self::Altcraft,
            Some("crm") => Self::Crm,
            _ => Self::Unknown,
        }
    }

    /// The name, as listings show it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Altcraft => "altcraft",
            Self::Crm => "sandbox-crm",
            Self::Unknown => "unknown",
        }
    }

    /// Whether a filter means this partner: by its name, or the CRM by its path.
    pub(crate) fn is_called(self, word: &str) -> bool {
        word == self.name() || (self == Self::Crm && word == "crm")
    }
}

/// The request is visible to inspection from its arrival on; its status from the moment when it is answered.
pub(crate) async fn receive(State(state): State<Arc<state::State>>, request: Request) -> Response {
    let call = Call::read(request).await;
    let number = lock(&state.requests).record(&call, state.clock.now());
    let fault = lock(&state.faults).take(&call.method, call.route());

    let answer = match fault {
        None => Some(answer(&state, &call)),
        Some(fault) => spoil(&state, &call, fault).await,
    };
    let Some(answer) = answer else { return closed_connection() };
    lock(&state.requests).answered(number, answer.status.as_u16());
    answer.into_response()
}

/// The answer under a fault, or none when the connection is to be closed.
async fn spoil(state: &state::State, call: &Call, fault: Fault) -> Option<Answer> {
    let early = (fault.when == When::After).then(|| answer(state, call));
    tokio::time::sleep(fault.delay).await;
    match fault.spoilt {
        Spoilt::Nothing => Some(early.unwrap_or_else(|| answer(state, call))),
        Spoilt::Answer(spoilt) => Some(spoilt),
        Spoilt::Connection => None,
    }
}

fn answer(state: &state::State, call: &Call) -> Answer {
    match Partner::of(&call.path) {
        Partner::Altcraft => altcraft::answer(&state.altcraft, call, state.clock.now()),
        Partner::Crm => crm::answer(&state.crm, call, &state.clock),
        Partner::Unknown => Answer::json(
            StatusCode::NOT_FOUND,
            &json!({ "error": format!("no partner of the sandbox answers {}", call.path) }),
        ),
    }
}
