//! What a call to the partner says about a connection.

use std::{error::Error as _, time::Duration};

use patchbay_connector::{Action, Connector, ErrorClass, Failure, FieldFault, Outcome};
use patchbay_egress::{Kind, Response, SendError, Sent, destination};
use serde_json::Value;

use crate::domain::{Fields, Finding};

/// The most of an answer that is shown, in characters.
const LONGEST_EXCERPT: usize = 1_000;
/// Shorter secrets are words like `yes`, which would be covered everywhere.
const SHORTEST_SECRET: usize = 4;

/// What was found out, and how it is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) finding: Finding,
    pub(crate) message: String,
    pub(crate) partner_status: Option<u16>,
    pub(crate) partner_answer: String,
}

/// The call that was made.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    /// The title of the partner.
    pub(crate) partner: &'a str,
    /// Host and port.
    pub(crate) destination: &'a str,
    pub(crate) timeout: Duration,
}

impl Verdict {
    /// What is stored of the credential is damaged.
    pub(crate) fn unreadable() -> Self {
        Self::without_answer(
            Finding::NeedsReauthorization,
            "the stored credential can't be read; give the connection its credential again".to_owned(),
        )
    }

    /// The connection's fields make no request.
    pub(crate) fn unbuildable(fault: &FieldFault, cover: &Cover) -> Self {
        let message = format!("the connection's fields make no call that can be sent: {fault}; check them");
        Self::without_answer(Finding::Misconfigured, cover.over(&message))
    }

    fn without_answer(finding: Finding, message: String) -> Self {
        Self { finding, message, partner_status: None, partner_answer: String::new() }
    }
}

impl Call<'_> {
    /// What it means that the partner answered like this.
    pub(crate) fn judge(&self, answer: &Response, outcome: Outcome, cover: &Cover) -> Verdict {
        let (finding, message) = match outcome {
            Outcome::Succeeded { .. } if is_page(answer) => self.no_api(answer),
            Outcome::Succeeded { .. } => (Finding::Ok, format!("{} takes the connection's credential", self.partner)),
            Outcome::Failed(failure) => self.judge_failure(answer, &failure),
        };
        Verdict {
            finding,
            message: cover.over(&message),
            partner_status: Some(answer.status),
            partner_answer: cover.excerpt(&answer.body),
        }
    }

    fn judge_failure(&self, answer: &Response, failure: &Failure) -> (Finding, String) {
        let Self { partner, destination, .. } = self;
        let said = &failure.message;
        if is_refusal(failure, answer.status) {
            let message = format!("{partner} refused the credential: {said}; give the connection a new one");
            return (Finding::Rejected, message);
        }
        match (failure.action, answer.status) {
            (Action::RateLimited { after }, _) => {
                let wait = after.map_or_else(|| "a moment".to_owned(), |after| format!("{} s", after.as_secs().max(1)));
                (Finding::Unreachable, format!("{partner} wants fewer calls now: {said}; test again in {wait}"))
            }
            (Action::Retry, _) | (_, 500..) => {
                let message = format!("{destination} fails now: {said}; test again later, or ask {partner}");
                (Finding::Unreachable, message)
            }
            // A firewall or a proxy before the partner, or another server: the partner itself answers no pages.
            (_, 400..) if is_page(answer) => self.no_api(answer),
            (_, status) if status == 403 || failure.class == ErrorClass::Auth => {
                let message = format!(
                    "{partner} knows the credential, but gives it no right to this: {said}; widen its rights there, or \
                     give the connection another one"
                );
                (Finding::Forbidden, message)
            }
            (_, status) if is_page(answer) || matches!(status, 300..=399 | 404 | 405 | 410) => self.no_api(answer),
            _ => {
                let message =
                    format!("{destination} does not take the test: {said}; check the fields, or ask {partner}");
                (Finding::Misconfigured, message)
            }
        }
    }

    fn no_api(&self, answer: &Response) -> (Finding, String) {
        let Self { partner, destination, .. } = self;
        let what = match (answer.status, elsewhere(answer)) {
            (300..=399, Some(elsewhere)) => format!("sends the call on to {elsewhere}"),
            (status @ 300..=399, None) => format!("answered {status} and sends the call on"),
            (status @ 400.., _) => format!("answered {status}"),
            _ => "answered with a web page".to_owned(),
        };
        let message =
            format!("{destination} {what}, so the API of {partner} is not there; check the connection's host");
        (Finding::Misconfigured, message)
    }

    /// What it means that there is no answer.
    pub(crate) fn judge_unanswered(&self, error: &SendError, cover: &Cover) -> Verdict {
        let Self { partner, destination, timeout } = self;
        let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        let (finding, message) = match error.kind {
            Kind::Dns => (
                Finding::Unreachable,
                format!("the name of {destination} can't be resolved; check the connection's host for a slip"),
            ),
            Kind::Connect => (
                Finding::Unreachable,
                format!(
                    "{destination} takes no connection ({cause}); check host and port, and that the server runs and \
                     lets this machine in"
                ),
            ),
            Kind::Tls => (
                Finding::Unreachable,
                format!(
                    "no secure connection to {destination} came about: {error}; check the host, and that it serves https \
                     with a valid certificate"
                ),
            ),
            Kind::Timeout if error.sent == Sent::No => (
                Finding::Unreachable,
                format!("{destination} could not be connected to in time; check host and port, or test again later"),
            ),
            Kind::Timeout => (
                Finding::Unreachable,
                format!("{destination} gave no complete answer within {timeout:?}; test again later, or ask {partner}"),
            ),
            Kind::Reset => (
                Finding::Unreachable,
                format!("{destination} broke the connection off before it had answered; test again later"),
            ),
            Kind::Protocol | Kind::TooLarge => (
                Finding::Misconfigured,
                format!("{destination} does not answer as {partner} does: {error}; check host and port"),
            ),
            Kind::Forbidden => {
                (Finding::Misconfigured, format!("the connection leads to where no call may go: {error}"))
            }
            Kind::InvalidUrl => (
                Finding::Misconfigured,
                format!("the connection's fields make no URL that can be called: {error}; check the host"),
            ),
        };
        Verdict::without_answer(finding, cover.over(&message))
    }
}

/// Whether the partner says that the credential itself is no good.
fn is_refusal(failure: &Failure, status: u16) -> bool {
    failure.action == Action::Reauthorize
        || failure.action == Action::Fail && failure.class == ErrorClass::Auth && status == 401
}

/// Whether the answer is for people to look at.
fn is_page(answer: &Response) -> bool {
    let kind = answer.headers.get("content-type").map(|value| value.as_bytes().to_ascii_lowercase());
    if kind.is_some_and(|kind| kind.starts_with(b"text/html") || kind.starts_with(b"application/xhtml")) {
        return true;
    }
    let start = answer.body.trim_ascii_start();
    let begins = |tag: &[u8]| start.len() >= tag.len() && start[..tag.len()].eq_ignore_ascii_case(tag);
    begins(b"<!doctype html") || begins(b"<html")
}

/// Host and port that a redirect points to, where it names them.
fn elsewhere(answer: &Response) -> Option<String> {
    destination(answer.headers.get("location")?.to_str().ok()?)
}

/// The secrets of a connection, to be covered wherever a partner repeats them.
pub(crate) struct Cover {
    secrets: Vec<String>,
}

impl Cover {
    pub(crate) fn of(connector: &Connector, fields: &Fields) -> Self {
        let values = connector.secret_fields().into_iter().filter_map(|name| fields.get(name).and_then(Value::as_str));
        Self::new(values)
    }

    fn new<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        let mut secrets = Vec::new();
        for value in values.into_iter().filter(|value| value.len() >= SHORTEST_SECRET) {
            // As JSON writes it, quotes and backslashes escaped.
            let quoted = Value::from(value).to_string();
            secrets.push(quoted[1..quoted.len() - 1].to_owned());
            secrets.push(value.to_owned());
        }
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.dedup();
        Self { secrets }
    }

    fn over(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "***"))
    }

    /// The beginning of a body as text: covered before it is cut, so that no half of a secret is left at the end.
    fn excerpt(&self, body: &[u8]) -> String {
        let longest = self.secrets.first().map_or(0, String::len);
        // A character takes at most four bytes.
        let start = &body[..body.len().min(LONGEST_EXCERPT * 4 + longest)];
        let covered = self.over(&String::from_utf8_lossy(start));
        let plain = covered.chars().filter(|character| !character.is_control() || matches!(character, '\n' | '\t'));
        let excerpt: String = plain.take(LONGEST_EXCERPT).collect();
        excerpt.trim().to_owned()
    }
}
