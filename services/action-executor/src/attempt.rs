//! One try of a step: input, credential, request, answer.

use std::{sync::Arc, time::Duration};

use patchbay_connector::{Action, ErrorClass, Failure, FieldFault, Outcome};
use patchbay_flow::{
    Answer, Call, Next,
    expression::{self, Value},
};
use patchbay_service::credentials::Credential;
use patchbay_types::{Fault, fault::Code};
use serde_json::value::RawValue;

use crate::{
    executor::Executor,
    gate::Verdict,
    plan::{CompiledStep, input_field},
    run::Run,
    steps,
    steps::StepStatus,
};

/// How long a partner that asks for fewer calls, without saying when, is left alone.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a connection waits when its credential can't be had now.
const CREDENTIAL_PAUSE: Duration = Duration::from_secs(1);
/// Shorter secrets are not looked for in what partners answer: they would match by chance.
const SHORTEST_SECRET: usize = 4;

/// How a try ended.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) answer: Answer,
    pub(crate) input: Option<Box<RawValue>>,
    pub(crate) output: Option<Box<RawValue>>,
    pub(crate) failure: Option<Failure>,
    /// Why the run waits, where that is not the failure.
    pub(crate) reason: Option<String>,
}

/// Tries a step. Its start is recorded already. Nothing when this process was declared dead before anything was sent.
pub(crate) async fn attempt(executor: &Arc<Executor>, run: &mut Run, call: Call) -> Option<Attempt> {
    let automation = Arc::clone(&run.automation);
    let step = &automation.steps[call.step];
    run.step_record().status = StepStatus::Running;
    let input = match input(executor, run, step) {
        Ok(input) => input,
        Err(failure) => return Some(Attempt::failed(None, *failure)),
    };
    let shown = steps::raw(&input);
    let Some(revision) = executor.definitions.connection_revision(run.identity.workspace, step.connection) else {
        let message = format!("connection {} does not exist in this workspace", step.connection);
        return Some(Attempt::failed(shown, configuration(ErrorClass::Configuration, message)));
    };
    let credential = match executor.credentials.get(step.connection, revision).await {
        Ok(credential) => credential,
        Err(fault) => return Some(without_credential(executor, run, step, shown, &fault)),
    };
    let outcome = match send(executor, run, step, call, &input, &credential).await {
        Ok(outcome) => outcome?,
        Err(fault) => {
            return Some(Attempt::failed(shown, configuration(ErrorClass::Configuration, fault.to_string())));
        }
    };
    report(executor, run, step, &credential, &outcome).await;
    Some(match outcome {
        Outcome::Succeeded { output } => {
            let output = steps::raw(&output).map(|output| covered(output, step, &credential));
            Attempt { answer: Answer::Done, input: shown, output, failure: None, reason: None }
        }
        Outcome::Failed(failure) => Attempt::failed(shown, failure),
    })
}

/// What a step is given, for people to see; nothing when it can't be told.
pub(crate) fn shown_input(executor: &Executor, run: &mut Run) -> Option<Box<RawValue>> {
    let automation = Arc::clone(&run.automation);
    let step = automation.steps.get(run.state.step)?;
    steps::raw(&input(executor, run, step).ok()?)
}

/// The step's input, as its operation takes it.
fn input(executor: &Executor, run: &mut Run, step: &CompiledStep) -> Result<Value, Box<Failure>> {
    let wrong = |class, message: String| Box::new(configuration(class, message));
    let scope =
        run.scope(executor.now()).map_err(|reason| wrong(ErrorClass::Validation, format!("event: {reason}")))?;
    let rendered = step.input.render(&scope);
    let rendered =
        rendered.map_err(|error| wrong(ErrorClass::Configuration, format!("{}: {error}", input_field(&error.path))))?;
    step.operation.coerce(rendered).map_err(|fault| wrong(ErrorClass::Validation, format!("input.{fault}")))
}

async fn send(
    executor: &Executor,
    run: &Run,
    step: &CompiledStep,
    call: Call,
    input: &Value,
    credential: &Credential,
) -> Result<Option<Outcome>, FieldFault> {
    let connection = expression::parse_json(&credential.fields).unwrap_or_default();
    let key = format!("{}.{}.0.{}", run.identity.id, step.key, call.generation);
    let mut request = step.operation.request(&connection, input, &key)?;
    request.timeout = request.timeout.min(executor.lease.longest_call());
    if !executor.lease.covers(run.owner, request.timeout).await {
        return Ok(None);
    }
    let answer = executor.egress.send(request).await;
    let pause = answer.as_ref().ok().and_then(|answer| step.budget.pause(&answer.headers, executor.now()));
    if let Some(pause) = pause {
        executor.gates.gate(step.connection).report(Verdict::Pause(pause), executor.clock.since_boot());
    }
    Ok(Some(step.operation.interpret(&connection, input, answer.as_ref())))
}

/// Tells the gate and the owner of the credential what the call told about them.
async fn report(executor: &Executor, run: &Run, step: &CompiledStep, credential: &Credential, outcome: &Outcome) {
    let (verdict, how) = match outcome {
        Outcome::Succeeded { .. } => (Verdict::Reachable, "succeeded"),
        Outcome::Failed(failure) => {
            let verdict = match failure.action {
                Action::Retry => Verdict::Unreachable,
                Action::RateLimited { after } => Verdict::Pause(after.unwrap_or(PAUSE)),
                // Until its owner has marked the connection, nobody else tries the same credential.
                Action::Reauthorize => Verdict::Pause(CREDENTIAL_PAUSE),
                Action::Fail => Verdict::Reachable,
            };
            (verdict, failure.class.name())
        }
    };
    executor.telemetry.called(how);
    executor.gates.gate(step.connection).report(verdict, executor.clock.since_boot());
    if let Outcome::Failed(Failure { action: Action::Reauthorize, .. }) = outcome {
        tracing::warn!(connection = %step.connection, run = %run.identity.id, "partner refused the credential");
        executor.credentials.report_refused(step.connection, credential.revision).await;
    }
}

/// No credential: the connection is gone (fail), not active (wait), or its owner can't be reached (wait).
fn without_credential(
    executor: &Executor,
    run: &Run,
    step: &CompiledStep,
    shown: Option<Box<RawValue>>,
    fault: &Fault,
) -> Attempt {
    if fault.code == Code::NotFound {
        return Attempt::failed(shown, configuration(ErrorClass::Configuration, fault.message.clone()));
    }
    tracing::warn!(connection = %step.connection, run = %run.identity.id, error = %fault, "no credential, the run waits");
    let pause = Verdict::Pause(CREDENTIAL_PAUSE);
    executor.gates.gate(step.connection).report(pause, executor.clock.since_boot());
    Attempt::not_tried(shown, None, fault.message.clone())
}

impl Attempt {
    fn not_tried(input: Option<Box<RawValue>>, failure: Option<Failure>, reason: String) -> Self {
        Self { answer: Answer::NotTried, input, output: None, failure, reason: Some(reason) }
    }

    fn failed(input: Option<Box<RawValue>>, failure: Failure) -> Self {
        let next = match failure.action {
            Action::Fail => Next::GiveUp,
            Action::Retry => Next::Retry { not_before: Duration::ZERO },
            Action::RateLimited { after } => Next::Retry { not_before: after.unwrap_or(PAUSE) },
            Action::Reauthorize => {
                let reason = format!("connection needs new credentials: {}", failure.message);
                return Self::not_tried(input, Some(failure), reason);
            }
        };
        let answer = if failure.known { Answer::Failed(next) } else { Answer::Unknown(next) };
        Self { answer, input, output: None, failure: Some(failure), reason: None }
    }
}

/// A failure before anything was sent, which trying again can't heal.
fn configuration(class: ErrorClass, message: String) -> Failure {
    Failure { action: Action::Fail, class, message, partner_status: None, known: true, excerpt: None }
}

/// The output with the connection's secrets covered, in case the partner repeated one.
fn covered(output: Box<RawValue>, step: &CompiledStep, credential: &Credential) -> Box<RawValue> {
    if step.secrets.is_empty() {
        return output;
    }
    let fields = expression::parse_json(&credential.fields).unwrap_or_default();
    let mut text = output.get().to_owned();
    for name in &step.secrets {
        let secret = fields.get_attr(name).unwrap_or_default();
        let Some(secret) = secret.as_str().filter(|secret| secret.len() >= SHORTEST_SECRET) else { continue };
        text = cover(text, secret);
    }
    if text == output.get() {
        return output;
    }
    RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// JSON text without a secret. Inside of it the secret stands as JSON writes it, quotes and backslashes escaped.
fn cover(text: String, secret: &str) -> String {
    let quoted = serde_json::Value::from(secret).to_string();
    let written = &quoted[1..quoted.len() - 1];
    if text.contains(written) { text.replace(written, "***") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covers_a_secret_as_json_writes_it() {
        for secret in ["plain-secret", "with \"quotes\" and \\", "line\nbreak"] {
            let text = serde_json::json!({"echo": format!("Bearer {secret}!")}).to_string();
            assert_eq!(cover(text, secret), r#"{"echo":"Bearer ***!"}"#);
        }
        assert_eq!(cover(r#"{"a":1}"#.to_owned(), "absent"), r#"{"a":1}"#);
    }
}
