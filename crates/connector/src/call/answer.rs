//! From the partner's answer, or the lack of one, to success or failure.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, header};
use patchbay_egress::{Kind, Response, Sent};
use patchbay_flow::expression::{Expression, Name, Scope, Value, parse_json, to_text};
use patchbay_types::json::harmless;

use super::{ErrorRule, Http};
use crate::{
    manifest::document::ActionKind,
    outcome::{Action, ErrorClass, Failure, Secrets},
};

/// The longest that a partner may make us wait by `Retry-After`.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60 * 60);
/// Shorter values are words like `yes`, which would be covered everywhere.
const MIN_SECRET_BYTES: usize = 4;

impl Http {
    /// What expressions see of an answer. Any answer can be read: bodies may be empty, HTML or text.
    pub(crate) fn scope(&self, input: &Value, response: &Response, sees_headers: bool) -> Scope {
        let mut scope = Scope::new()
            .with(Name::Input, input.clone())
            .with(Name::Status, Value::from(response.status))
            .with(Name::Body, parse_body(&response.body));
        if sees_headers || self.errors_see_headers {
            scope.set(Name::Headers, header_values(&response.headers));
        }
        scope
    }

    /// Whether the partner did what was asked.
    pub(crate) fn judge(
        &self,
        success: &Expression,
        scope: &Scope,
        connection: &Value,
        response: &Response,
    ) -> Result<(), Failure> {
        let secrets = || self.secrets(connection);
        match success.is_true(scope) {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(error) => return Err(misread("success", &error.to_string(), response, &secrets())),
        }
        for (index, rule) in self.errors.iter().enumerate() {
            match rule.when.is_true(scope) {
                Ok(true) if rule.action == ActionKind::Ignore => return Ok(()),
                Ok(true) => return Err(ruled(rule, scope, response, &secrets())),
                Ok(false) => {}
                Err(error) => {
                    let place = format!("http.errors[{index}].when");
                    return Err(misread(&place, &error.to_string(), response, &secrets()));
                }
            }
        }
        let (action, class, message) = by_status(response);
        let known = is_word_of_the_partner(response.status);
        let failure = Failure::new(action, class, known, &message, &secrets());
        Err(failure.with_answer(response.status, &response.body, &secrets()))
    }

    /// The texts of this connection that no failure may show.
    pub(crate) fn secrets(&self, connection: &Value) -> Secrets {
        let values = self.secret_fields.iter().filter_map(|name| {
            let value = connection.get_attr(name).ok()?;
            value.as_str().filter(|secret| secret.len() >= MIN_SECRET_BYTES).map(str::to_owned)
        });
        Secrets(values.collect())
    }
}

fn ruled(rule: &ErrorRule, scope: &Scope, response: &Response, secrets: &Secrets) -> Failure {
    let (_, class_by_status, message_by_status) = by_status(response);
    let (action, class) = match rule.action {
        ActionKind::RateLimited => {
            (Action::RateLimited { after: retry_after(&response.headers) }, ErrorClass::RateLimit)
        }
        ActionKind::Reauthorize | ActionKind::RefreshThenRetry => (Action::Reauthorize, ErrorClass::Auth),
        ActionKind::Retry => (Action::Retry, class_by_status),
        ActionKind::Fail | ActionKind::Ignore => (Action::Fail, class_by_status),
    };
    let message = rule.message.as_ref().and_then(|template| template.render(scope).ok());
    let message = message.and_then(|value| to_text(&value).ok()).filter(|text| !text.trim().is_empty());
    let known = rule.known.unwrap_or_else(|| is_word_of_the_partner(response.status));
    Failure::new(action, rule.class.unwrap_or(class), known, &message.unwrap_or(message_by_status), secrets)
        .with_answer(response.status, &response.body, secrets)
}

/// The manifest can't read an answer that is there. The partner may have done it.
pub(crate) fn misread(place: &str, reason: &str, response: &Response, secrets: &Secrets) -> Failure {
    let message = format!("the connector can't read the partner's answer: {place}: {reason}");
    let failure = Failure::new(Action::Fail, ErrorClass::Configuration, false, &message, secrets);
    failure.with_answer(response.status, &response.body, secrets)
}

/// Whether a status is the partner's own word. A gateway that says 502 or 504 doesn't know what happened behind it.
fn is_word_of_the_partner(status: u16) -> bool {
    !matches!(status, 502 | 504)
}

/// What an answer means when the manifest says nothing about it.
fn by_status(response: &Response) -> (Action, ErrorClass, String) {
    let status = response.status;
    match status {
        200..=299 => {
            (Action::Fail, ErrorClass::Partner, format!("the partner answered {status}, but that is not a success"))
        }
        300..=399 => {
            let message = format!("the partner answered {status}, a redirect, which is never followed");
            (Action::Fail, ErrorClass::Configuration, message)
        }
        401 | 403 => {
            (Action::Fail, ErrorClass::Auth, format!("the partner answered {status} and refused the credentials"))
        }
        408 | 504 => (Action::Retry, ErrorClass::Timeout, format!("the partner answered {status}, a timeout")),
        429 => {
            let action = Action::RateLimited { after: retry_after(&response.headers) };
            (action, ErrorClass::RateLimit, "the partner answered 429: too many calls".to_owned())
        }
        500 | 502 | 503 => {
            let action = match retry_after(&response.headers) {
                Some(after) if status == 503 => Action::RateLimited { after: Some(after) },
                _ => Action::Retry,
            };
            (action, ErrorClass::Partner, format!("the partner answered {status}, a failure of its own"))
        }
        _ => (Action::Fail, ErrorClass::Partner, format!("the partner answered {status}")),
    }
}

/// What it means that there is no answer.
pub(crate) fn unanswered(kind: Kind, sent: Sent, message: &str, secrets: &Secrets) -> Failure {
    let (action, class) = match kind {
        Kind::Forbidden | Kind::InvalidUrl => (Action::Fail, ErrorClass::Configuration),
        Kind::Dns | Kind::Connect | Kind::Tls | Kind::Reset => (Action::Retry, ErrorClass::Connection),
        Kind::Timeout => (Action::Retry, ErrorClass::Timeout),
        // Unsent, it is our own request that is too large.
        Kind::TooLarge if sent == Sent::No => (Action::Fail, ErrorClass::Validation),
        Kind::TooLarge => (Action::Fail, ErrorClass::Partner),
        Kind::Protocol => (Action::Retry, ErrorClass::Partner),
    };
    // After a redirect even a name that is not found says nothing about the call before it.
    Failure::new(action, class, sent == Sent::No, message, secrets)
}

/// The wait that the partner asks for: seconds, or a date, which is measured from the date of the same answer
/// (RFC 9110, section 10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds).min(MAX_RETRY_AFTER));
    }
    let until: SystemTime = httpdate::parse_http_date(text).ok()?;
    let answered = httpdate::parse_http_date(headers.get(header::DATE)?.to_str().ok()?).ok()?;
    Some(until.duration_since(answered).unwrap_or_default().min(MAX_RETRY_AFTER))
}

/// The body as JSON, else as text.
pub(crate) fn parse_body(body: &[u8]) -> Value {
    parse_json(&harmless(body)).unwrap_or_else(|_| Value::from(String::from_utf8_lossy(body).as_ref()))
}

pub(crate) fn header_values(headers: &HeaderMap) -> Value {
    // Names of a HeaderMap are in lower case already.
    Value::from_pairs(
        headers.iter().map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes()).into_owned())),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lack_of_an_answer_says_what_to_do_and_what_is_known() {
        use ErrorClass::{Configuration, Connection, Partner, Timeout, Validation};
        for (kind, sent, action, class, known) in [
            (Kind::InvalidUrl, Sent::No, Action::Fail, Configuration, true),
            (Kind::Forbidden, Sent::No, Action::Fail, Configuration, true),
            (Kind::Dns, Sent::No, Action::Retry, Connection, true),
            (Kind::Connect, Sent::No, Action::Retry, Connection, true),
            (Kind::Tls, Sent::No, Action::Retry, Connection, true),
            (Kind::Timeout, Sent::No, Action::Retry, Timeout, true),
            (Kind::Timeout, Sent::Maybe, Action::Retry, Timeout, false),
            (Kind::Reset, Sent::No, Action::Retry, Connection, true),
            (Kind::Reset, Sent::Maybe, Action::Retry, Connection, false),
            (Kind::TooLarge, Sent::No, Action::Fail, Validation, true),
            (Kind::TooLarge, Sent::Maybe, Action::Fail, Partner, false),
            (Kind::Protocol, Sent::Maybe, Action::Retry, Partner, false),
        ] {
            let message = "no connection to shop.test".to_owned();
            let expected = Failure { action, class, message, partner_status: None, known, excerpt: None };
            let failure = unanswered(kind, sent, "no connection to shop.test", &Secrets::default());
            assert_eq!(failure, expected, "{kind:?} {sent:?}");
        }
    }
}
