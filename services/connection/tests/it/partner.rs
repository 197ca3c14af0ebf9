//! A partner of a few lines: it answers every request the same and notes what it was sent.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        mpsc::{self, Sender},
    },
    thread,
    time::Duration,
};

use rustls::{ServerConfig, ServerConnection, Stream};

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Partner {
    port: u16,
    answer: Arc<Mutex<String>>,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Partner {
    pub(crate) fn answering(status: u16, kind: &str, body: &str) -> Self {
        let partner = Self::listening(|answer, seen, mut stream| {
            if let Some(request) = read_head(&mut stream) {
                seen.lock().unwrap().push(request);
                let answer = answer.lock().unwrap().clone();
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        partner.set(status, &format!("content-type: {kind}\r\n"), body);
        partner
    }

    /// Answers each request when it is told to go on.
    pub(crate) fn held() -> (Self, Sender<()>) {
        let (go_on, told) = mpsc::channel();
        let partner = Self::listening(move |answer, seen, mut stream| {
            let Some(request) = read_head(&mut stream) else { return };
            seen.lock().unwrap().push(request);
            if told.recv_timeout(PATIENCE).is_ok() {
                let answer = answer.lock().unwrap().clone();
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        (partner, go_on)
    }

    /// Takes requests and says nothing.
    pub(crate) fn silent() -> Self {
        Self::listening(|_, _, mut stream| while read_head(&mut stream).is_some() {})
    }

    /// Hangs up on every request.
    pub(crate) fn rude() -> Self {
        Self::listening(|_, _, mut stream| drop(read_head(&mut stream)))
    }

    /// Speaks TLS with a certificate that nobody vouches for.
    pub(crate) fn unknown() -> Self {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let config = Arc::new(config);
        Self::listening(move |_, _, mut stream| {
            let mut tls = ServerConnection::new(Arc::clone(&config)).unwrap();
            let _ = Stream::new(&mut tls, &mut stream).read(&mut [0]);
        })
    }

    fn listening(serve: impl Fn(&Mutex<String>, &Mutex<Vec<String>>, TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let partner = Self { port, answer: Arc::default(), seen: Arc::default() };
        let (answer, seen) = (Arc::clone(&partner.answer), Arc::clone(&partner.seen));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                serve(&answer, &seen, stream);
            }
        });
        partner
    }

    /// Answers otherwise from now on. `headers` end with a line break each.
    pub(crate) fn set(&self, status: u16, headers: &str, body: &str) {
        let length = body.len();
        *self.answer.lock().unwrap() =
            format!("HTTP/1.1 {status} Answer\r\n{headers}connection: close\r\ncontent-length: {length}\r\n\r\n{body}");
    }

    /// What a connection writes into its host.
    pub(crate) fn host(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

/// Nothing when the client hung up before.
fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    String::from_utf8(head).ok()
}
