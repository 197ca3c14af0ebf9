//! All addresses of a peer, as names resolve now.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use axum::http::uri::Authority;
use patchbay_runtime::Tasks;
use rustls::pki_types::ServerName;
use tokio::sync::watch;

use super::{
    Error, Options,
    address::{Address, Host, Place},
    dial::Dialer,
    link::Link,
    probe::Probe,
    state::State,
    words,
};
use crate::{Role, Verdict, access::Access};

/// All addresses of a peer.
#[derive(Debug)]
pub(crate) struct Pool {
    links: watch::Sender<Links>,
    /// Where the next call begins to look.
    turn: AtomicUsize,
    /// Whether the peer was there once.
    found: AtomicBool,
}

#[derive(Debug, Default)]
struct Links {
    all: Vec<Arc<Link>>,
    /// Why a name can't be resolved.
    trouble: Option<String>,
    /// Whether names were looked up at all.
    known: bool,
}

impl Pool {
    pub(crate) fn open(
        role: Role,
        address: &Address,
        access: &Access,
        options: &Options,
        tasks: &Tasks,
    ) -> Result<Arc<Self>, Error> {
        let places = address.places.iter().map(|place| Target::new(place, access)).collect::<Result<_, _>>()?;
        let pool = Arc::new(Self {
            links: watch::Sender::new(Links::default()),
            turn: AtomicUsize::new(0),
            found: AtomicBool::new(false),
        });
        let resolver = Resolver {
            places,
            pool: Arc::clone(&pool),
            probe: Probe::new(role, access.token.header(), options),
            options: options.clone(),
            tasks: tasks.clone(),
        };
        tasks.spawn("names of peers", resolver.run());
        Ok(pool)
    }

    /// Returns when names were looked up once.
    pub(crate) async fn known(&self) {
        // The sender lives as long as this pool.
        let _ = self.links.subscribe().wait_for(|links| links.known).await;
    }

    /// All addresses, those first where a call should go first.
    pub(crate) fn in_turn(&self) -> Vec<Arc<Link>> {
        let mut links = self.links.borrow().all.clone();
        if !links.is_empty() {
            let turn = self.turn.fetch_add(1, Ordering::Relaxed) % links.len();
            links.rotate_left(turn);
            links.sort_by_key(|link| link.rank());
        }
        links
    }

    /// Whether there is another address than `link` where calls may succeed.
    pub(crate) fn has_other(&self, link: &Arc<Link>) -> bool {
        let links = self.links.borrow();
        links.all.iter().any(|other| !Arc::ptr_eq(other, link) && !other.state().is_down())
    }

    /// Whether the peer is there, at one address at least. Else why not: who never reached it can't begin, but who did goes
    /// on with what does not need it, and must not be taken down with it.
    pub(crate) fn verdict(&self) -> Verdict {
        let links = self.links.borrow();
        let mut reason = None;
        for link in &links.all {
            match link.state() {
                State::Ready | State::Waiting => {
                    self.found.store(true, Ordering::Relaxed);
                    return Verdict::Holds;
                }
                State::Unknown => {}
                State::Down(words) => reason = reason.or(Some(words)),
            }
        }
        let reason = reason.or_else(|| links.trouble.clone()).unwrap_or_else(|| "was not reached yet".to_owned());
        if self.found.load(Ordering::Relaxed) { Verdict::Degraded(reason) } else { Verdict::Fails(reason) }
    }

    /// Why there is no address.
    pub(crate) fn trouble(&self) -> String {
        self.links.borrow().trouble.clone().unwrap_or_else(|| "has no address".to_owned())
    }
}

/// One configured place.
struct Target {
    place: Place,
    authority: Authority,
    tls: Option<(Arc<rustls::ClientConfig>, ServerName<'static>)>,
}

impl Target {
    fn new(place: &Place, access: &Access) -> Result<Self, Error> {
        let unfit = |reason| Error::Address { text: place.to_string(), reason };
        let authority = place.authority().parse().map_err(|_| unfit("its host is no part of a URI"))?;
        let name = match &place.host {
            Host::Address(address) => ServerName::from(*address),
            Host::Name(name) => ServerName::try_from(name.clone()).map_err(|_| unfit("its host is no name"))?,
        };
        let tls = access.tls.as_ref().filter(|_| place.tls).map(|tls| (tls.client(), name));
        Ok(Self { place: place.clone(), authority, tls })
    }

    fn name(&self, address: SocketAddr) -> String {
        match &self.place.host {
            Host::Address(_) => self.place.to_string(),
            Host::Name(_) => format!("{} ({})", self.place, address.ip()),
        }
    }
}

/// Keeps a pool as names resolve.
struct Resolver {
    places: Vec<Target>,
    pool: Arc<Pool>,
    probe: Probe,
    options: Options,
    tasks: Tasks,
}

impl Resolver {
    async fn run(self) {
        let shutdown = self.tasks.shutdown().clone();
        let has_names = self.places.iter().any(|target| matches!(target.place.host, Host::Name(_)));
        while shutdown.or(self.resolve()).await.is_some() {
            if !has_names || shutdown.or(tokio::time::sleep(self.options.resolve_every)).await.is_none() {
                return;
            }
        }
    }

    async fn resolve(&self) {
        let mut trouble = None;
        let mut all: Vec<Arc<Link>> = Vec::new();
        for target in &self.places {
            let before = self.of(target);
            match self.look_up(&target.place).await {
                // What is known stays: a name server that fails takes no peer away.
                Err(reason) => {
                    trouble = Some(format!("can't be reached at {}: {reason}", target.place));
                    all.extend(before);
                }
                Ok(addresses) => {
                    for address in addresses {
                        let name = target.name(address);
                        if all.iter().all(|link| link.name != name) {
                            let known = before.iter().find(|link| link.name == name).cloned();
                            all.push(known.unwrap_or_else(|| self.begin(target, address, name)));
                        }
                    }
                }
            }
        }
        let before = self.pool.links.send_replace(Links { all: all.clone(), trouble, known: true });
        for link in before.all.iter().filter(|link| all.iter().all(|other| !Arc::ptr_eq(other, link))) {
            link.gone.begin();
        }
    }

    /// The links that a place has now.
    fn of(&self, target: &Target) -> Vec<Arc<Link>> {
        let links = self.pool.links.borrow();
        let prefix = target.place.to_string();
        let of_place = |link: &&Arc<Link>| link.name == prefix || link.name.starts_with(&format!("{prefix} "));
        links.all.iter().filter(of_place).cloned().collect()
    }

    fn begin(&self, target: &Target, address: SocketAddr, name: String) -> Arc<Link> {
        let dialer = Dialer { address, tls: target.tls.clone(), timeout: self.options.connect_timeout };
        let gone = self.tasks.shutdown().child();
        let link = Arc::new(Link::new(name, dialer, target.authority.clone(), self.options.keepalive, gone));
        self.tasks.spawn("health of a peer", self.probe.clone().run(Arc::clone(&link)));
        link
    }

    async fn look_up(&self, place: &Place) -> Result<Vec<SocketAddr>, String> {
        let name = match &place.host {
            Host::Address(address) => return Ok(vec![SocketAddr::new(*address, place.port)]),
            Host::Name(name) => name.as_str(),
        };
        let found = tokio::time::timeout(self.options.connect_timeout, tokio::net::lookup_host((name, place.port)));
        let found = found.await.map_err(|_| "its name was not resolved in time".to_owned())?;
        let mut found: Vec<_> = found.map_err(|error| words::innermost(&error))?.collect();
        found.sort_unstable();
        found.dedup();
        if found.is_empty() {
            return Err("its name has no address".to_owned());
        }
        Ok(found)
    }
}
