//! One keep-alive connection to a server of this machine.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use patchbay_runtime::Tasks;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(30);

/// A connection, opened below any pool so that the generator costs as little as it can.
#[derive(Debug)]
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    host: HeaderValue,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr, tasks: &Tasks) -> Result<Self> {
        let stream = timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await?.context("connect")?;
        stream.set_nodelay(true).context("set up a connection")?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.context("begin to speak HTTP")?;
        tasks.spawn("http connection", async move {
            // How it ended is told to the one who waits for an answer.
            let _ = connection.await;
        });
        Ok(Self { sender, host: HeaderValue::from_str(&address.to_string())? })
    }

    /// Posts JSON and waits for the whole answer.
    pub(crate) async fn post(&mut self, uri: Uri, body: Bytes) -> Result<StatusCode> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri;
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(self.exchange(request).await?.0)
    }

    /// Gets the bytes at a path.
    pub(crate) async fn get(&mut self, path: &str) -> Result<Bytes> {
        let mut request = Request::new(Full::default());
        *request.uri_mut() = path.parse().context("read a path")?;
        let (status, body) = self.exchange(request).await?;
        if !status.is_success() {
            bail!("GET {path} was answered {status}");
        }
        Ok(body)
    }

    /// Posts JSON with a token, if there is one already, and reads the JSON of the answer.
    pub(crate) async fn call(&mut self, path: &str, token: Option<&str>, body: &Value) -> Result<Value> {
        let mut request = Request::new(Full::new(serde_json::to_vec(body)?.into()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = path.parse().context("read a path")?;
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(token) = token {
            request.headers_mut().insert(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {token}"))?);
        }
        let (status, body) = self.exchange(request).await.with_context(|| format!("POST {path}"))?;
        if !status.is_success() {
            bail!("POST {path} was answered {status}: {}", String::from_utf8_lossy(&body));
        }
        if body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&body).with_context(|| format!("read the answer to POST {path}"))
    }

    async fn exchange(&mut self, mut request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes)> {
        request.headers_mut().insert(HOST, self.host.clone());
        let answered = async {
            self.sender.ready().await.context("the connection was closed")?;
            let answer = self.sender.send_request(request).await.context("the exchange broke off")?;
            let status = answer.status();
            let body = answer.into_body().collect().await.context("the answer broke off")?.to_bytes();
            anyhow::Ok((status, body))
        };
        timeout(EXCHANGE_TIMEOUT, answered).await.context("no answer in time")?
    }
}
