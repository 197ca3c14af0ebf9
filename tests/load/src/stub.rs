//! The partner: a server in a process of its own that answers at once and remembers what arrived when.

mod arrivals;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use patchbay_runtime::{Shutdown, Tasks};
use tokio::net::TcpListener;

use self::arrivals::Arrivals;
pub(crate) use self::arrivals::{ARRIVALS_A_PAGE, Counters};
use crate::clock::now_nanos;
use crate::process::{end_with_parent, say_ready};

/// Where profiles are imported.
pub(crate) const IMPORT_PATH: &str = "/api/v1.1/profiles/import";
/// Tells the counters as JSON.
pub(crate) const COUNTERS_PATH: &str = "/_/counters";
/// Followed by the number of an order: a page of arrival times from that one on.
pub(crate) const ARRIVALS_PATH: &str = "/_/arrivals/";

const IMPORTED: &[u8] = br#"{"error":0,"error_text":"Successful operation","profile_id":"65f0c0ffee0000000000abcd"}"#;
const MAX_BODY_BYTES: usize = 64 * 1024;
/// Before the number of the order in the body of an import.
const NUMBER_KEY: &[u8] = br#""order_id":"#;

type Shared = Arc<Mutex<Arrivals>>;

/// One thread, which is enough for several times the load and takes least from the others.
pub(crate) fn run() -> Result<ExitCode> {
    end_with_parent()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("build a runtime")?;
    runtime.block_on(serve())
}

async fn serve() -> Result<ExitCode> {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.context("listen")?;
    say_ready(listener.local_addr()?);
    let tasks = Tasks::new(Shutdown::default());
    let arrivals = Shared::default();
    loop {
        let (stream, _) = listener.accept().await.context("accept a connection")?;
        stream.set_nodelay(true)?;
        let arrivals = Arc::clone(&arrivals);
        tasks.spawn("stub connection", async move {
            let service = service_fn(move |request| answer(Arc::clone(&arrivals), request));
            // A connection that breaks off shows at the caller.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(arrivals: Shared, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path();
    if request.method() == Method::POST && path == IMPORT_PATH {
        let Ok(body) = Limited::new(request.into_body(), MAX_BODY_BYTES).collect().await else {
            return Ok(json(Bytes::from_static(b"{}")));
        };
        let arrived_at = now_nanos();
        with(&arrivals, |arrivals| arrivals.record(order_number(&body.to_bytes()), arrived_at));
        return Ok(json(Bytes::from_static(IMPORTED)));
    }
    if path == COUNTERS_PATH {
        let counters = with(&arrivals, |arrivals| arrivals.counters());
        return Ok(json(serde_json::to_vec(&counters).unwrap_or_default().into()));
    }
    if let Some(from) = path.strip_prefix(ARRIVALS_PATH).and_then(|from| from.parse().ok()) {
        return Ok(Response::new(Full::new(with(&arrivals, |arrivals| arrivals.page(from)))));
    }
    Ok(json(Bytes::from_static(br#"{"error":0,"error_text":"Successful operation"}"#)))
}

fn with<T>(arrivals: &Shared, use_them: impl FnOnce(&mut Arrivals) -> T) -> T {
    use_them(&mut arrivals.lock().unwrap_or_else(PoisonError::into_inner))
}

fn json(body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Searched as bytes: parsing the body would cost more than all the rest of the stub.
fn order_number(body: &[u8]) -> Option<u64> {
    let key_at = body.windows(NUMBER_KEY.len()).position(|window| window == NUMBER_KEY)?;
    let value = body[key_at + NUMBER_KEY.len()..].trim_ascii_start();
    let value = value.strip_prefix(b"\"").unwrap_or(value);
    let length = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&value[..length]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_number_of_the_order() {
        assert_eq!(order_number(br#"{"data":{"_fname":"Ann","order_id":"000000000042"}}"#), Some(42));
        assert_eq!(order_number(br#"{"data":{"order_id": 7}}"#), Some(7));
    }

    #[test]
    fn finds_no_number_where_none_is() {
        for body in ["", "{}", r#"{"order_id":null}"#, r#"{"order_id":"#, r#"{"order_id":"x1"}"#] {
            assert_eq!(order_number(body.as_bytes()), None, "{body}");
        }
    }
}
