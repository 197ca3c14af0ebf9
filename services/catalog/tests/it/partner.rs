//! A shop that speaks plain HTTP/1.1: it has stores, shelves and fields of its own.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

use crate::house::{PATIENCE, TOKEN};

/// A partner that listens. Dropping it ends all its conversations.
#[derive(Debug)]
pub(crate) struct Partner {
    pub(crate) address: String,
    state: Arc<State>,
    _serving: JoinSet<()>,
}

#[derive(Debug)]
struct State {
    inner: Mutex<Inner>,
    holds: watch::Sender<bool>,
}

#[derive(Debug)]
struct Inner {
    /// Path and query of what was asked.
    asked: Vec<String>,
    stores: usize,
    /// Said instead of what is asked for.
    says: Option<(u16, Value)>,
}

impl Partner {
    /// A shop with two stores.
    pub(crate) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let inner = Inner { asked: Vec::new(), stores: 2, says: None };
        let state = Arc::new(State { inner: Mutex::new(inner), holds: watch::Sender::new(false) });
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, Arc::clone(&state)));
        Self { address, state, _serving: serving }
    }

    pub(crate) fn has_stores(&self, stores: usize) {
        self.state.inner().stores = stores;
    }

    /// Says this to everything, or what is asked for again.
    pub(crate) fn says(&self, answer: Option<(u16, Value)>) {
        self.state.inner().says = answer;
    }

    /// Answers nothing until it is released.
    pub(crate) fn hold(&self) {
        self.state.holds.send_replace(true);
    }

    pub(crate) fn release(&self) {
        self.state.holds.send_replace(false);
    }

    /// What was asked since the last call, sorted.
    pub(crate) fn asked(&self) -> Vec<String> {
        let mut asked = std::mem::take(&mut self.state.inner().asked);
        asked.sort();
        asked
    }

    /// Waits until it has been asked this often since the last look.
    pub(crate) async fn was_asked(&self, times: usize) {
        patchbay_testing::wait_for("calls", PATIENCE, || async {
            (self.state.inner().asked.len() >= times).then_some(())
        })
        .await;
    }
}

impl State {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    fn answer(&self, target: &str, authorization: &str) -> (u16, Value) {
        let inner = self.inner();
        if let Some(answer) = &inner.says {
            return answer.clone();
        }
        if authorization != format!("Bearer {TOKEN}") {
            return (401, json!({"message": "who are you?"}));
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
        let items = match path {
            "/stores" => {
                let number = |name| value(name).and_then(|text| text.parse::<usize>().ok()).unwrap();
                let (page, size) = (number("page"), number("per_page"));
                let first = (page - 1) * size + 1;
                let on_page = first..(first + size).min(inner.stores + 1);
                on_page.map(|id| json!({"id": id, "name": format!("Store {id}")})).collect()
            }
            "/shelves" => {
                let store = value("store").unwrap();
                vec![json!({"id": format!("{store}-a"), "name": format!("First shelf of {store}")})]
            }
            "/fields" => vec![
                json!({"code": "size", "title": "Size", "type": "integer", "needed": true}),
                json!({"code": "fresh", "title": "Fresh", "type": "boolean"}),
                json!({"code": "odd", "title": "", "type": "hologram"}),
            ],
            _ => return (404, json!({})),
        };
        (200, json!({"items": items}))
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
    loop {
        let mut first = String::new();
        if stream.read_line(&mut first).await? == 0 {
            return Ok(());
        }
        let target = first.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut authorization = String::new();
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).await?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            if name.eq_ignore_ascii_case("authorization") {
                value.clone_into(&mut authorization);
            }
        }
        state.inner().asked.push(target.clone());
        let _ = state.holds.subscribe().wait_for(|holds| !holds).await;
        let (status, body) = state.answer(&target, &authorization);
        let body = body.to_string();
        let head = format!(
            "HTTP/1.1 {status} Word\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.get_mut().write_all(format!("{head}{body}").as_bytes()).await?;
    }
}
