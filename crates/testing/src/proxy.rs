//! A network that can be cut: a TCP proxy on the loopback address.

use std::{
    io,
    net::{SocketAddr, TcpListener as StdListener},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::watch,
    task::JoinSet,
};

/// Bytes read at once.
const PIECE: usize = 16 * 1024;
/// No limit of bytes.
const UNLIMITED: u64 = u64::MAX;

/// Takes connections on a port of its own and passes them on to one address. It works on a thread of its own, beside
/// any runtime. Dropping it closes all connections.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    network: Arc<Network>,
}

/// What all connections look at.
#[derive(Debug)]
struct Network {
    /// Whether bytes are dropped.
    cut: watch::Sender<bool>,
    /// Raised to close every connection that is open then.
    breaks: watch::Sender<u64>,
    /// Whether the proxy is dropped.
    ended: watch::Sender<bool>,
    /// Bytes that may still pass towards the server.
    budget: AtomicU64,
}

impl Proxy {
    /// A proxy to `address` (host and port), which need not be there yet.
    ///
    /// # Panics
    /// When no port can be had.
    #[must_use]
    #[expect(clippy::expect_used, reason = "tests say by panic what went wrong")]
    pub fn to(address: impl Into<String>) -> Self {
        let server = address.into();
        let listener = StdListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a listener that does not block");
        let address = listener.local_addr().expect("an address");
        let network = Arc::new(Network {
            cut: watch::Sender::new(false),
            breaks: watch::Sender::new(0),
            ended: watch::Sender::new(false),
            budget: AtomicU64::new(UNLIMITED),
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let shared = Arc::clone(&network);
        thread::Builder::new()
            .name("proxy".to_owned())
            .spawn(move || runtime.block_on(serve(listener, server, shared)))
            .expect("a thread");
        Self { address, network }
    }

    /// A proxy to the server of `url`, and the same URL with the proxy in the server's place.
    ///
    /// # Panics
    /// When that names no host, or no port can be had.
    #[must_use]
    #[expect(clippy::expect_used, reason = "tests say by panic what went wrong")]
    pub fn before(url: &str) -> (Self, String) {
        let (scheme, rest) = url.split_once("://").expect("an address with a scheme");
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (format!("{user}@"), host),
            None => (String::new(), authority),
        };
        let proxy = Self::to(host);
        let through = format!("{scheme}://{user}{}{path}", proxy.address);
        (proxy, through)
    }

    /// Where to connect to.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// A partition: connections stay open, what is sent by either side is lost without a word, new connections get no
    /// answer.
    pub fn cut(&self) {
        self.network.cut.send_replace(true);
    }

    /// Ends the partition. A connection that lost bytes stays mute, because a stream with a hole would be damaged.
    pub fn heal(&self) {
        self.network.budget.store(UNLIMITED, Ordering::SeqCst);
        self.network.cut.send_replace(false);
    }

    /// Closes all open connections with a reset. New ones are taken.
    pub fn break_all(&self) {
        self.network.breaks.send_modify(|breaks| *breaks += 1);
    }

    /// Lets this many bytes more through to the server, all connections together, and then cuts as [`Proxy::cut`] does.
    pub fn pause_after(&self, bytes: u64) {
        self.network.budget.store(bytes, Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.network.ended.send_replace(true);
    }
}

async fn serve(listener: StdListener, server: String, network: Arc<Network>) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    let mut ended = network.ended.subscribe();
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = ended.wait_for(|ended| *ended) => return,
        };
        if let Ok((client, _)) = accepted {
            connections.spawn(connection(client, server.clone(), Arc::clone(&network)));
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn connection(mut client: TcpStream, server: String, network: Arc<Network>) {
    let mut breaks = network.breaks.subscribe();
    let Ok(mut server) = connect(&server, &network).await else { return };
    let broken = tokio::select! {
        passed = pass_both_ways(&mut client, &mut server, &network) => passed.is_err(),
        _ = breaks.changed() => true,
    };
    if broken {
        let _ = client.set_zero_linger();
        let _ = server.set_zero_linger();
    }
}

async fn connect(server: &str, network: &Network) -> io::Result<TcpStream> {
    network.healed().await;
    let server = TcpStream::connect(server).await?;
    server.set_nodelay(true)?;
    Ok(server)
}

async fn pass_both_ways(client: &mut TcpStream, server: &mut TcpStream, network: &Network) -> io::Result<()> {
    client.set_nodelay(true)?;
    let lost = AtomicBool::new(false);
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    tokio::try_join!(
        pass(from_client, to_server, network, &lost, |count| network.allow_towards_server(count)),
        pass(from_server, to_client, network, &lost, |count| network.allow(count)),
    )?;
    Ok(())
}

/// Passes bytes on until the sender ends; then the receiver is told, unless it is in the dark.
async fn pass(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    network: &Network,
    lost: &AtomicBool,
    allowed: impl Fn(usize) -> usize,
) -> io::Result<()> {
    let mut buffer = vec![0; PIECE];
    loop {
        let read = from.read(&mut buffer).await;
        if !matches!(read, Ok(1..)) {
            network.healed().await;
        }
        let count = read?;
        if lost.load(Ordering::SeqCst) {
            match count {
                0 => return Err(io::ErrorKind::ConnectionReset.into()),
                _ => continue,
            }
        }
        if count == 0 {
            return to.shutdown().await;
        }
        let passing = allowed(count);
        if passing < count {
            lost.store(true, Ordering::SeqCst);
        }
        to.write_all(&buffer[..passing]).await?;
    }
}

impl Network {
    async fn healed(&self) {
        // The sender is a field of this: it is not dropped meanwhile.
        let _ = self.cut.subscribe().wait_for(|cut| !cut).await;
    }

    /// How many of `count` bytes pass.
    fn allow(&self, count: usize) -> usize {
        if *self.cut.borrow() { 0 } else { count }
    }

    /// The same, with the budget of [`Proxy::pause_after`].
    fn allow_towards_server(&self, count: usize) -> usize {
        let count = self.allow(count) as u64;
        let take = |budget: u64| (budget != UNLIMITED).then(|| budget.saturating_sub(count));
        let Ok(before) = self.budget.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take) else {
            return count as usize;
        };
        if before <= count {
            self.cut.send_replace(true);
        }
        before.min(count) as usize
    }
}
