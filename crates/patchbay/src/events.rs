//! The commands `events`: they go to an instance by HTTP, as any program does.

use std::{io::Read, time::Duration};

use anyhow::{Context, anyhow, bail};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use patchbay_egress::{AllowRule, Egress, Options, Redirects, Request};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    cli::{EventsCommand, Instance},
    failure::Failure,
    output::{self, plain},
    signals::Signals,
};

const TIMEOUT: Duration = Duration::from_secs(60);
/// The longest that standard input may be, in bytes.
const LARGEST: u64 = 10 * 1024 * 1024;
/// The longest line of a stream, in bytes.
const LONGEST_LINE: usize = 64 * 1024 * 1024;

pub(crate) fn run(command: EventsCommand) -> Result<(), Failure> {
    match command {
        EventsCommand::Publish { kind, source, subject, id, instance } => {
            let (media, body) = match kind {
                None => whole(input()?)?,
                Some(kind) => ("application/cloudevents+json", event(&kind, &source, subject, id, &input()?)?),
            };
            publish(&instance, media, body)
        }
        EventsCommand::Tail { instance } => block_on(tail(&instance)),
    }
}

/// CloudEvents as they stand.
fn whole(input: Vec<u8>) -> Result<(&'static str, Vec<u8>), Failure> {
    let value: Value = serde_json::from_slice(&input).map_err(|error| no_json(&error))?;
    match value {
        Value::Array(_) => Ok(("application/cloudevents-batch+json", input)),
        Value::Object(members) if members.contains_key("specversion") => Ok(("application/cloudevents+json", input)),
        _ => Err(Failure::usage(
            "standard input is no CloudEvent\nhint: name its --type to publish it as the data of a new one",
        )),
    }
}

fn event(
    kind: &str,
    source: &str,
    subject: Option<String>,
    id: Option<String>,
    input: &[u8],
) -> Result<Vec<u8>, Failure> {
    let data: Value = serde_json::from_slice(input).map_err(|error| no_json(&error))?;
    let id = id.unwrap_or_else(|| Uuid::new_v4().to_string());
    let mut event = json!({ "specversion": "1.0", "id": id, "source": source, "type": kind, "data": data });
    if let Some(subject) = subject {
        event["subject"] = subject.into();
    }
    Ok(event.to_string().into_bytes())
}

fn no_json(error: &serde_json::Error) -> Failure {
    Failure::usage(format!("standard input is not JSON: {error}"))
}

fn input() -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(LARGEST + 1).read_to_end(&mut bytes);
    let length = read.context("standard input can't be read")?;
    if u64::try_from(length).unwrap_or(u64::MAX) > LARGEST {
        return Err(Failure::usage(format!("standard input is larger than {LARGEST} bytes")));
    }
    Ok(bytes)
}

fn publish(instance: &Instance, media: &'static str, body: Vec<u8>) -> Result<(), Failure> {
    block_on(async {
        let mut request = request(instance, Method::POST, body)?;
        request.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
        let answer = egress(&instance.url)?.send(request).await;
        let answer = answer.with_context(|| format!("{} can't be asked", instance.url))?;
        if answer.status != 202 {
            return Err(refusal(answer.status, &answer.body).into());
        }
        let accepted: Value = serde_json::from_slice(&answer.body).context("the answer can't be read")?;
        if instance.json {
            return output::print_json(&accepted);
        }
        let events = accepted["events"].as_array().into_iter().flatten();
        let line = |event: &Value| {
            let id = plain(event["id"].as_str().unwrap_or_default(), 200);
            match event["triggers"].as_i64().unwrap_or_default() {
                0 => format!("{id} accepted; no automation wants it\n"),
                1 => format!("{id} accepted for 1 trigger\n"),
                count => format!("{id} accepted for {count} triggers\n"),
            }
        };
        output::print(&events.map(line).collect::<String>())
    })
}

async fn tail(instance: &Instance) -> Result<(), Failure> {
    let mut signals = Signals::listen()?;
    let mut request = request(instance, Method::GET, Vec::new())?;
    request.headers.insert(header::ACCEPT, HeaderValue::from_static("text/event-stream"));
    let answer = egress(&instance.url)?.stream(request).await;
    let mut answer = answer.with_context(|| format!("{} can't be asked", instance.url))?;
    let mut buffered = Vec::new();
    loop {
        let piece = tokio::select! {
            piece = answer.next() => piece.context("the stream broke off")?,
            () = signals.next() => return Ok(()),
        };
        let Some(piece) = piece else { break };
        buffered.extend_from_slice(&piece);
        if buffered.len() > LONGEST_LINE {
            return Err(anyhow!("a line of the stream is too long").into());
        }
        if answer.status == 200 {
            print_lines(&mut buffered, instance.json)?;
        }
    }
    if answer.status != 200 {
        return Err(refusal(answer.status, &buffered).into());
    }
    Err(anyhow!("the instance ended the stream\nhint: it may be shutting down; start again when it is up").into())
}

/// Prints the complete lines of data, and keeps the rest.
fn print_lines(buffered: &mut Vec<u8>, json: bool) -> Result<(), Failure> {
    while let Some(end) = buffered.iter().position(|byte| *byte == b'\n') {
        let line: Vec<u8> = buffered.drain(..=end).collect();
        let text = String::from_utf8_lossy(&line);
        let Some(data) = text.trim_end().strip_prefix("data: ") else { continue };
        if json {
            output::print(&format!("{data}\n"))?;
            continue;
        }
        let event: Value = serde_json::from_str(data).context("an event can't be read")?;
        let word = |name: &str| plain(event[name].as_str().unwrap_or_default(), 64);
        let data = plain(&event["trigger"].to_string(), 1_000);
        output::print(&format!("{} {} {} {data}\n", word("accepted_at"), word("operation"), word("event_id")))?;
    }
    Ok(())
}

fn request(instance: &Instance, method: Method, body: Vec<u8>) -> anyhow::Result<Request> {
    let mut token = HeaderValue::from_str(&format!("Bearer {}", instance.token.trim()))
        .map_err(|_| anyhow!("the token has characters that no token has"))?;
    token.set_sensitive(true);
    let mut headers = HeaderMap::new();
    headers.insert(header::AUTHORIZATION, token);
    let url = format!("{}/v1/events", instance.url.trim_end_matches('/'));
    Ok(Request { method, url, headers, body: Bytes::from(body), timeout: TIMEOUT, redirects: Redirects::default() })
}

/// A client that reaches the instance wherever it is, since its address was given by hand.
fn egress(url: &str) -> anyhow::Result<Egress> {
    let Some(place) = patchbay_egress::destination(url) else {
        bail!("{url} is no address of an instance\nhint: it looks like http://127.0.0.1:8080");
    };
    let rule: AllowRule = place.parse().with_context(|| format!("{url} is no address of an instance"))?;
    let options = Options { allow_private: vec![rule], ..Options::default() };
    let limit = usize::try_from(LARGEST).unwrap_or(usize::MAX);
    let options = Options { max_request_bytes: limit + 64 * 1024, max_response_bytes: limit, ..options };
    Egress::new(options).context("no client")
}

/// What the instance says in its problem details.
fn refusal(status: u16, body: &[u8]) -> anyhow::Error {
    let problem: Value = serde_json::from_slice(body).unwrap_or_default();
    match problem["detail"].as_str() {
        Some(detail) => anyhow!("{}", plain(detail, 500)),
        None => anyhow!("the instance answered {status}; is this the address of its API?"),
    }
}

fn block_on(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no threads")?;
    runtime.block_on(work)
}
