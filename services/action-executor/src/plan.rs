//! An automation's version, compiled once for all its runs.

use std::{sync::Arc, time::Duration};

use patchbay_connector::{Budget, Catalog, Operation};
use patchbay_flow::{
    Plan, Repeat, Retry, StepPlan,
    expression::{Expression, Name, Template},
};
use patchbay_proto::automation::internal::v1::PublishedAutomation;
use patchbay_runtime::config::duration;
use patchbay_types::{AutomationId, ConnectionId, SourceId};
use serde::Deserialize;

/// What runs of one automation version need.
#[derive(Debug)]
pub(crate) struct CompiledAutomation {
    pub(crate) id: AutomationId,
    pub(crate) filter: Option<Expression>,
    pub(crate) steps: Vec<CompiledStep>,
    pub(crate) flow: Plan,
    /// Whether anything in it looks at the event's arrival, which is parsed only then.
    pub(crate) uses_meta: bool,
    /// Its connections as `,1,2,`, for the filter of the list of runs.
    pub(crate) connections: String,
}

/// One step, ready to run.
#[derive(Debug)]
pub(crate) struct CompiledStep {
    pub(crate) key: String,
    pub(crate) connection: ConnectionId,
    pub(crate) operation: Arc<Operation>,
    pub(crate) input: Template,
    /// Fields of its connection that nobody may see.
    pub(crate) secrets: Vec<String>,
    pub(crate) budget: Budget,
}

/// The document as the executor reads it; the automation service has checked it.
#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    trigger: Trigger,
    steps: Vec<Step>,
}

#[derive(Default, Deserialize)]
struct Trigger {
    filter: Option<String>,
}

#[derive(Deserialize)]
struct Step {
    key: String,
    operation: String,
    connection_id: Option<i64>,
    #[serde(default)]
    input: serde_json::Value,
    retry: Option<serde_json::Value>,
    #[serde(default)]
    repeat_unknown: bool,
}

impl CompiledAutomation {
    /// Compiles a version. The error is for the person who owns the automation.
    pub(crate) fn compile(
        published: &PublishedAutomation,
        document: &[u8],
        catalog: &Catalog,
        delays: &[Duration],
    ) -> Result<Self, String> {
        let document: Document =
            serde_json::from_slice(document).map_err(|error| format!("document can't be read: {error}"))?;
        let filter = match document.trigger.filter.as_deref().map(str::trim) {
            None | Some("") => None,
            Some(text) => Some(Expression::compile(text).map_err(|error| format!("trigger.filter: {error}"))?),
        };
        let mut steps = Vec::with_capacity(document.steps.len());
        let mut flow = Vec::with_capacity(document.steps.len());
        for step in &document.steps {
            let in_step = |reason: String| format!("step `{}`: {reason}", step.key);
            let (connector, operation) = catalog
                .operation(&step.operation)
                .ok_or_else(|| in_step(catalog.unknown_operation(&step.operation)))?;
            let input = Template::compile(&step.input);
            let input = input.map_err(|error| in_step(format!("{}: {error}", input_field(&error.path))))?;
            let allowed = step.repeat_unknown || operation.safe_to_repeat() || operation.idempotency_header().is_some();
            flow.push(StepPlan {
                repeat: if allowed { Repeat::Allowed } else { Repeat::Never },
                retry: retry(step.retry.as_ref(), delays).map_err(in_step)?,
            });
            steps.push(CompiledStep {
                key: step.key.clone(),
                connection: ConnectionId::new(step.connection_id.unwrap_or(0)),
                operation: Arc::clone(operation),
                input,
                secrets: connector.secret_fields().into_iter().map(str::to_owned).collect(),
                budget: connector.budget().clone(),
            });
        }
        if steps.is_empty() {
            return Err("it has no steps".to_owned());
        }
        let uses_meta = filter.iter().any(|filter| filter.uses(Name::TriggerMeta))
            || steps.iter().any(|step| step.input.uses(Name::TriggerMeta));
        let connections = steps.iter().fold(",".to_owned(), |list, step| format!("{list}{},", step.connection));
        Ok(Self {
            id: AutomationId::from_slice(&published.id).map_err(|error| error.to_string())?,
            filter,
            steps,
            flow: Plan { steps: flow },
            uses_meta,
            connections,
        })
    }
}

/// A place in a step's input, as its owner reads it: `input.data[0]`.
pub(crate) fn input_field(path: &str) -> String {
    let dot = if path.is_empty() || path.starts_with('[') { "" } else { "." };
    format!("input{dot}{path}")
}

/// Where a published automation listens.
pub(crate) fn source_of(published: &PublishedAutomation) -> Option<SourceId> {
    SourceId::from_slice(&published.source_id).ok()
}

/// `{"max_attempts": n}` over the default delays, `{"delays": ["1s"]}`, or `"none"`.
fn retry(setting: Option<&serde_json::Value>, defaults: &[Duration]) -> Result<Retry, String> {
    let Some(setting) = setting.filter(|setting| !setting.is_null()) else {
        return Ok(Retry { delays: defaults.to_vec() });
    };
    if setting == "none" {
        return Ok(Retry { delays: Vec::new() });
    }
    if let Some(delays) = setting.get("delays").and_then(serde_json::Value::as_array) {
        let delays = delays.iter().map(|delay| duration::parse(delay.as_str().unwrap_or_default()));
        return Ok(Retry { delays: delays.collect::<Result<_, _>>()? });
    }
    let most = setting.get("max_attempts").and_then(serde_json::Value::as_u64);
    let most = most.ok_or("retry is none of {\"max_attempts\": n}, {\"delays\": [...]}, \"none\"")?;
    let last = defaults.last().copied().unwrap_or_default();
    let waits = usize::try_from(most.saturating_sub(1)).unwrap_or(usize::MAX).min(100);
    Ok(Retry { delays: (0..waits).map(|index| defaults.get(index).copied().unwrap_or(last)).collect() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const DEFAULTS: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(30)];

    fn delays(setting: serde_json::Value) -> Result<Vec<u64>, String> {
        retry(Some(&setting), &DEFAULTS).map(|retry| retry.delays.iter().map(Duration::as_secs).collect())
    }

    #[test]
    fn reads_every_form_of_retry() {
        assert_eq!(delays(json!(null)), Ok(vec![5, 30]));
        assert_eq!(delays(json!("none")), Ok(vec![]));
        assert_eq!(delays(json!({"max_attempts": 1})), Ok(vec![]));
        assert_eq!(delays(json!({"max_attempts": 4})), Ok(vec![5, 30, 30]));
        assert_eq!(delays(json!({"delays": ["1s", "2m"]})), Ok(vec![1, 120]));
        assert!(delays(json!({"delays": ["soon"]})).is_err());
        assert!(delays(json!({"often": true})).is_err());
    }
}
