//! One call, wherever it goes, until it has an answer or its time is up.

use std::{sync::Arc, time::Duration};

use axum::http::{
    HeaderMap, HeaderValue, Request, Response,
    header::{self, HeaderName},
    request::Parts,
};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use patchbay_proto::Method;
use patchbay_runtime::backoff::Backoff;
use tokio::time::Instant;
use tonic::{Code, Status, body::Body};

use super::{
    link::{Failure, Link},
    pool::Pool,
    probe::refuses_token,
    state::{State, Trouble},
    words,
};
use crate::{Role, grpc::REFUSED};

/// More than any request or answer of ours: clients and servers have closer bounds of their own.
const LARGEST: usize = 128 * 1024 * 1024;
/// How often all addresses are tried.
const ROUNDS: usize = 3;
/// How many addresses a round tries.
const ADDRESSES: usize = 4;
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_millis(200);

const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

/// Calls one peer.
#[derive(Debug)]
pub(crate) struct Caller {
    role: Role,
    pool: Arc<Pool>,
    token: HeaderValue,
    timeout: Duration,
}

/// What is called.
struct Call {
    head: Parts,
    body: Bytes,
    deadline: Instant,
    repeatable: bool,
    streams: bool,
}

/// How one attempt ended.
enum Outcome {
    /// The peer's own answer.
    Answered(Response<Body>),
    /// The peer can't do it now, and says so itself.
    Unavailable(Response<Body>),
    Failed(Failure),
}

/// No call may take longer, whatever its caller asks for.
const LONGEST_TIMEOUT: Duration = Duration::from_mins(2);

impl Caller {
    pub(crate) const fn new(role: Role, pool: Arc<Pool>, token: HeaderValue, timeout: Duration) -> Self {
        Self { role, pool, token, timeout }
    }

    pub(crate) async fn call(self: Arc<Self>, request: Request<Body>) -> Response<Body> {
        let asked = asked_timeout(request.headers());
        // Who asks for something slow says so.
        let timeout = asked.map_or(self.timeout, |asked| asked.min(LONGEST_TIMEOUT));
        let deadline = Instant::now() + timeout;
        let mut last = None;
        let answered = tokio::time::timeout_at(deadline, self.answer(request, deadline, &mut last)).await;
        answered.unwrap_or_else(|_| {
            let before = last.map_or_else(String::new, |failure| format!("; before, it {failure}"));
            let message = format!("{} gave no answer within {timeout:?}{before}", self.role);
            Status::deadline_exceeded(message).into_http()
        })
    }

    async fn answer(&self, request: Request<Body>, deadline: Instant, last: &mut Option<Failure>) -> Response<Body> {
        let method = Method::find(request.uri().path());
        let (mut head, body) = request.into_parts();
        let body = match Limited::new(body, LARGEST).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) => {
                let message = format!("a request to {} can't be sent: {}", self.role, words::innermost(&*error));
                return Status::resource_exhausted(message).into_http();
            }
        };
        head.headers.insert(header::AUTHORIZATION, self.token.clone());
        let call = Call {
            head,
            body,
            deadline,
            repeatable: method.is_some_and(|method| method.repeatable),
            streams: method.is_some_and(|method| method.streams),
        };
        self.pool.known().await;
        self.attempts(&call, last).await
    }

    async fn attempts(&self, call: &Call, last: &mut Option<Failure>) -> Response<Body> {
        let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
        let mut answer = None;
        for round in 1..=ROUNDS {
            for link in self.pool.in_turn().iter().take(ADDRESSES) {
                match self.attempt(call, link).await {
                    Outcome::Answered(response) => return response,
                    Outcome::Unavailable(response) if !call.repeatable => return response,
                    Outcome::Unavailable(response) => answer = Some(response),
                    Outcome::Failed(failure) => {
                        let is_final = matches!(failure, Failure::Lost(_)) && !call.repeatable;
                        *last = Some(failure);
                        if is_final {
                            return self.failed(last.as_ref());
                        }
                    }
                }
            }
            if round < ROUNDS {
                tokio::time::sleep(backoff.next_wait()).await;
            }
        }
        // What the peer said itself says more.
        answer.unwrap_or_else(|| self.failed(last.as_ref()))
    }

    /// One attempt at one address. One that can be repeated is given up when the address turns out to be dead, if there
    /// is another.
    async fn attempt(&self, call: &Call, link: &Arc<Link>) -> Outcome {
        let dead = async {
            link.down().await;
            if !call.repeatable || !self.pool.has_other(link) {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            outcome = exchange(call, link) => outcome,
            () = dead => {
                let trouble = Trouble::new("gave no answer", "it does not answer for its health either");
                Outcome::Failed(Failure::Lost(link.said(&trouble)))
            }
        }
    }

    fn failed(&self, last: Option<&Failure>) -> Response<Body> {
        let reason = last.map_or_else(|| self.pool.trouble(), Failure::to_string);
        Status::unavailable(format!("{} {reason}", self.role)).into_http()
    }
}

async fn exchange(call: &Call, link: &Link) -> Outcome {
    let response = match link.send(call.request()).await {
        Ok(response) => response,
        Err(failure) => return Outcome::Failed(failure),
    };
    if response.headers().contains_key(REFUSED) {
        let words = link.said(&refuses_token());
        link.saw(State::Down(words.clone()));
        return Outcome::Failed(Failure::NotSent(words));
    }
    if call.streams && !response.headers().contains_key(GRPC_STATUS) {
        return Outcome::Answered(response.map(Body::new));
    }
    let (head, body) = response.into_parts();
    let body = match Limited::new(body, LARGEST).collect().await {
        Ok(body) => body,
        Err(error) => {
            let trouble = Trouble::new("broke off its answer", words::innermost(&*error));
            return Outcome::Failed(Failure::Lost(link.said(&trouble)));
        }
    };
    match code(&head.headers).or_else(|| body.trailers().and_then(code)) {
        Some(Code::Unavailable) => Outcome::Unavailable(Response::from_parts(head, Body::new(body))),
        Some(Code::Unimplemented) => {
            let cause = format!("{}; is it an older version, or another role?", call.head.uri.path());
            let trouble = Trouble::new("does not have this method", cause);
            Outcome::Failed(Failure::NotSent(link.said(&trouble)))
        }
        _ => Outcome::Answered(Response::from_parts(head, Body::new(body))),
    }
}

impl Call {
    fn request(&self) -> Request<Body> {
        let mut request = Request::from_parts(self.head.clone(), Body::new(Full::new(self.body.clone())));
        if !self.streams {
            let left = self.deadline.saturating_duration_since(Instant::now());
            request.headers_mut().insert(GRPC_TIMEOUT, timeout_header(left));
        }
        request
    }
}

fn code(headers: &HeaderMap) -> Option<Code> {
    headers.get(GRPC_STATUS).map(|value| Code::from_bytes(value.as_bytes()))
}

/// At most eight digits and a unit (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>).
fn timeout_header(timeout: Duration) -> HeaderValue {
    let millis = timeout.as_millis().clamp(1, 99_999_999);
    HeaderValue::from_str(&format!("{millis}m")).unwrap_or_else(|_| HeaderValue::from_static("1S"))
}

fn asked_timeout(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(GRPC_TIMEOUT)?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let count = digits.parse().ok().filter(|_| digits.len() <= 8)?;
    match unit {
        "H" => Some(Duration::from_secs(count * 3600)),
        "M" => Some(Duration::from_secs(count * 60)),
        "S" => Some(Duration::from_secs(count)),
        "m" => Some(Duration::from_millis(count)),
        "u" => Some(Duration::from_micros(count)),
        "n" => Some(Duration::from_nanos(count)),
        _ => None,
    }
}
