//! A server of a few lines: a script on a thread that takes connections and writes bytes.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

use crate::LONG;

pub(crate) const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

pub(crate) struct Server<T> {
    pub(crate) port: u16,
    script: JoinHandle<T>,
}

impl<T: Send + 'static> Server<T> {
    pub(crate) fn run(script: impl FnOnce(TcpListener) -> T + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        Self { port, script: std::thread::spawn(move || script(listener)) }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// What the script saw, once it has ended.
    pub(crate) async fn seen(self) -> T {
        // Not on this thread, which the connections of the client live on.
        tokio::task::spawn_blocking(|| self.script.join().unwrap()).await.unwrap()
    }
}

impl Server<String> {
    /// Takes one request, writes these bytes and closes.
    pub(crate) fn answering(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::run(move |listener| {
            let mut stream = accept(&listener);
            let request = read_request(&mut stream);
            // The client may hang up before it has read all.
            let _ = stream.write_all(&bytes);
            request
        })
    }
}

/// A port that nobody listens on.
pub(crate) fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub(crate) fn accept(listener: &TcpListener) -> TcpStream {
    let (stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream
}

/// Reads one request with its body, as announced by `content-length`.
pub(crate) fn read_request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let announced = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse::<usize>().unwrap());
            if body.len() >= announced {
                return text;
            }
        }
        let count = stream.read(&mut piece).unwrap();
        assert!(count > 0, "the client hung up within a request: {text:?}");
        bytes.extend_from_slice(&piece[..count]);
    }
}

/// Blocks until the client has hung up.
pub(crate) fn wait_for_hang_up(stream: &mut TcpStream) {
    let mut piece = [0; 4096];
    while matches!(stream.read(&mut piece), Ok(count) if count > 0) {}
}
