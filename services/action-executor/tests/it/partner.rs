//! A partner that speaks Altcraft's envelope over plain HTTP/1.1, and answers as it is told.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

/// What the partner does with a request that it has read.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// Does what is asked and says so.
    Done,
    /// Does it and says so, but takes its time.
    Late(Duration),
    /// Says this, with this status.
    Says(u16, Value),
    /// Does it and hangs up without a word.
    HangsUp,
    /// Says nothing until it is released, and then that it is done.
    Holds,
}

impl Answer {
    /// A failure of its own.
    pub(crate) fn unavailable() -> Self {
        Self::Says(503, json!({}))
    }

    /// The envelope with a code in a good status, which is how Altcraft refuses.
    pub(crate) fn refuses(code: u16, text: &str) -> Self {
        Self::Says(200, json!({"error": code, "error_text": text}))
    }
}

/// A request that was read whole.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) path: String,
    pub(crate) authorization: String,
    /// The header `Idempotency-Key`.
    pub(crate) key: String,
    pub(crate) body: Value,
}

/// A partner that listens. Dropping it ends all its conversations.
#[derive(Debug)]
pub(crate) struct Partner {
    address: String,
    state: Arc<State>,
    _serving: JoinSet<()>,
}

#[derive(Debug)]
struct State {
    inner: Mutex<Inner>,
    held: watch::Sender<bool>,
}

#[derive(Debug)]
struct Inner {
    calls: Vec<Call>,
    /// The field `email` of what was done.
    done: Vec<String>,
    script: VecDeque<Answer>,
    otherwise: Answer,
    now: usize,
    most: usize,
}

impl Partner {
    pub(crate) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let inner = Inner {
            calls: Vec::new(),
            done: Vec::new(),
            script: VecDeque::new(),
            otherwise: Answer::Done,
            now: 0,
            most: 0,
        };
        let state = Arc::new(State { inner: Mutex::new(inner), held: watch::Sender::new(true) });
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, Arc::clone(&state)));
        Self { address, state, _serving: serving }
    }

    /// As a connection's field `host` has it.
    pub(crate) fn host(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers to the next requests; then it goes on as before.
    pub(crate) fn script(&self, answers: impl IntoIterator<Item = Answer>) {
        self.state.inner().script.extend(answers);
    }

    /// The answer to all requests that no script has one for.
    pub(crate) fn otherwise(&self, answer: Answer) {
        self.state.inner().otherwise = answer;
    }

    /// Answers those that are held, and holds no more.
    pub(crate) fn release(&self) {
        self.state.held.send_replace(false);
    }

    /// What was asked so far.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.state.inner().calls.clone()
    }

    /// The field `email` of all that was asked so far, sorted.
    pub(crate) fn emails(&self) -> Vec<String> {
        let mut emails: Vec<String> =
            self.calls().iter().map(|call| call.body["email"].as_str().unwrap().to_owned()).collect();
        emails.sort();
        emails
    }

    /// The field `email` of all that was done so far, sorted.
    pub(crate) fn done(&self) -> Vec<String> {
        let mut done = self.state.inner().done.clone();
        done.sort();
        done
    }

    /// Waits until it has been asked this often.
    pub(crate) async fn asked(&self, times: usize) {
        patchbay_testing::wait_for("calls", crate::house::PATIENCE, || async {
            (self.state.inner().calls.len() >= times).then_some(())
        })
        .await;
    }

    /// The most requests that were under way at once.
    pub(crate) fn most_at_once(&self) -> usize {
        self.state.inner().most
    }
}

impl State {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// Notes a request and decides on its answer.
    fn begin(&self, call: Call) -> Answer {
        let mut inner = self.inner();
        inner.now += 1;
        inner.most = inner.most.max(inner.now);
        let scripted = inner.script.pop_front();
        let answer = scripted.unwrap_or_else(|| inner.otherwise.clone());
        if !matches!(answer, Answer::Says(..)) {
            inner.done.push(call.body["email"].as_str().unwrap_or_default().to_owned());
        }
        inner.calls.push(call);
        answer
    }
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    let mut conversations = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        conversations.spawn(async move {
            // A client that goes away in the middle is no business of the partner.
            let _ = converse(stream, &state).await;
        });
    }
}

async fn converse(stream: TcpStream, state: &State) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(call) = read(&mut stream).await? {
        let done =
            json!({"error": 0, "profile_id": format!("profile of {}", call.body["email"].as_str().unwrap_or(""))});
        let answer = state.begin(call);
        let (status, body) = match answer {
            Answer::Done => (200, done),
            Answer::Late(delay) => {
                tokio::time::sleep(delay).await;
                (200, done)
            }
            Answer::Says(status, body) => (status, body),
            Answer::HangsUp => {
                state.inner().now -= 1;
                return Ok(());
            }
            Answer::Holds => {
                let _ = state.held.subscribe().wait_for(|held| !held).await;
                (200, done)
            }
        };
        let body = body.to_string();
        // Counted before the answer is on its way: whoever has it may ask again at once.
        state.inner().now -= 1;
        let head = format!(
            "HTTP/1.1 {status} Word\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.get_mut().write_all(format!("{head}{body}").as_bytes()).await?;
    }
    Ok(())
}

/// The next request; nothing when the client has no more.
async fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Call>> {
    let mut first = String::new();
    if stream.read_line(&mut first).await? == 0 {
        return Ok(None);
    }
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let (mut length, mut authorization, mut key) = (0, String::new(), String::new());
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "authorization" => value.clone_into(&mut authorization),
            "idempotency-key" => value.clone_into(&mut key),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok(Some(Call { path, authorization, key, body: serde_json::from_slice(&body).unwrap() }))
}
