//! Accepts orders: durable first, then `OK`.

use std::convert::Infallible;

use anyhow::{Context, Result};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use patchbay_runtime::Tasks;
use tokio::net::TcpListener;

use super::log::Log;

const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;

pub(super) async fn serve(listener: TcpListener, log: Log, tasks: &Tasks) -> Result<()> {
    loop {
        let (stream, _) = listener.accept().await.context("accept a connection")?;
        stream.set_nodelay(true)?;
        let log = log.clone();
        tasks.spawn("connection", async move {
            let service = service_fn(move |request| accept(log.clone(), request));
            // A connection that breaks off shows at the caller.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn accept(log: Log, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let Ok(body) = Limited::new(request.into_body(), MAX_BODY_BYTES).collect().await else {
        return Ok(answer(StatusCode::BAD_REQUEST, "not a body"));
    };
    match log.publish(body.to_bytes()).await {
        Ok(()) => Ok(answer(StatusCode::OK, "OK")),
        Err(_) => Ok(answer(StatusCode::SERVICE_UNAVAILABLE, "not accepted")),
    }
}

fn answer(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    response
}
