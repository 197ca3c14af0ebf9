//! From bound listeners to the line `ready`.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use axum::{Router, extract::Request};
use patchbay_egress::{AllowRule, Egress};
use patchbay_proto::{Method, Route};
use patchbay_runtime::{Clock, DataDirectory, Shutdown, Tasks, data_directory::Reserve, telemetry::Metrics};
use patchbay_sandbox::Sandbox;
use patchbay_service::{Check, Role, admin, grpc, peer};
use patchbay_vault::KeyRing;
use tokio::{net::TcpListener, sync::mpsc};
use tonic::service::Routes;
use tower::ServiceExt;

use super::{
    Plan,
    board::{Board, Verdict},
    door::Door,
    ground::{self, Base, Laid},
    http, installation,
    listeners::{Addresses, Listeners},
    ready,
    roles::{Need, Site, recipe},
};
use crate::{
    output,
    up::{Demo, demo},
};

/// How long the process may take to become ready, before it says so all the same.
const READY_PATIENCE: Duration = Duration::from_secs(10);
const READY_POLL: Duration = Duration::from_millis(2);
const RESERVE_EVERY: Duration = Duration::from_secs(1);
const KEY_FILE: &str = "master.keys";

/// A process between its listeners and its roles.
pub(super) struct Life {
    plan: Plan,
    addresses: Addresses,
    tasks: Tasks,
    metrics: Metrics,
    board: Board,
    /// What is said of the roles while they come.
    progress: Verdict,
    public: Door<Router>,
    services: Door<Routes>,
    laid: Option<Laid>,
}

impl Life {
    pub(super) fn new(plan: Plan, addresses: Addresses, tasks: &Tasks, leaving: Shutdown) -> Self {
        let (board, progress) = (Board::default(), Verdict::new("not built yet"));
        board.add(Check::new("process", move || match leaving.has_begun() {
            true => Err("shutting down".to_owned()),
            false => Ok(()),
        }));
        board.add(progress.check("roles"));
        Self {
            plan,
            addresses,
            tasks: tasks.clone(),
            metrics: Metrics::default(),
            board,
            progress,
            public: Door::default(),
            services: Door::default(),
            laid: None,
        }
    }

    /// What the roles stand on, once that is laid.
    pub(super) fn laid(&self) -> Option<&Laid> {
        self.laid.as_ref()
    }

    /// Answers on all listeners from now on: on that of the administration until `last` ends, so that it can be seen how
    /// the process ends. Gives that of the sandbox back, which has its partners later.
    pub(super) fn serve(&self, listeners: Listeners, last: &Tasks) -> Option<TcpListener> {
        // Half of the time is for requests, so that what they began can end in the other half.
        let grace = self.plan.config.shutdown.drain / 2;
        let shutdown = || self.tasks.shutdown().clone();
        let admin = Door::default();
        admin.open(self.admin());
        last.spawn("admin listener", http::serve(listeners.admin, admin, last.shutdown().clone(), grace));
        let access = self.plan.mesh.as_ref().map(|mesh| mesh.access.clone());
        let services = self.services.routes(self.service_names());
        let checks = Arc::new(vec![self.board.whole()]);
        let serving = grpc::serve(listeners.grpc, services, access, checks, shutdown(), grace);
        let to_end = shutdown();
        self.tasks.spawn("gRPC listener", async move {
            if let Err(error) = serving.await {
                tracing::error!(%error, "gRPC can't be served, shutting down");
                to_end.begin();
            }
        });
        if let Some(listener) = listeners.public {
            self.tasks.spawn("public listener", http::serve(listener, self.public.clone(), shutdown(), grace));
        }
        listeners.sandbox
    }

    /// Those of all roles of this process.
    fn service_names(&self) -> impl Iterator<Item = &'static str> {
        let mut names: Vec<_> = Method::ALL.iter().map(Method::service).collect();
        names.dedup();
        let packages: Vec<_> = self.plan.roles.iter().filter_map(|role| recipe(*role).package).collect();
        names.into_iter().filter(move |name| packages.iter().any(|package| name.starts_with(package)))
    }

    /// Conditions come and go with what is there: they are asked for with every request.
    fn admin(&self) -> Router {
        let (metrics, board) = (self.metrics.clone(), self.board.clone());
        Router::new().fallback(async move |request: Request| {
            admin::router(metrics.clone(), board.checks()).oneshot(request).await
        })
    }

    /// Builds everything, as soon as it can be built, and says `ready`.
    ///
    /// # Errors
    /// What waiting can't heal.
    pub(super) async fn start(
        &mut self,
        home: Option<&DataDirectory>,
        sandbox: Option<TcpListener>,
        alarm: mpsc::Sender<anyhow::Error>,
    ) -> anyhow::Result<()> {
        let patience = tokio::time::sleep(READY_PATIENCE);
        tokio::pin!(patience);
        let (board, format, addresses) = (self.board.clone(), self.plan.format, self.addresses);
        let waits_for_all = self.addresses.sandbox.is_some();
        let building = self.build(home, sandbox, alarm);
        tokio::pin!(building);
        let mut demo = None;
        let built = tokio::select! {
            built = &mut building => Some(built?),
            // What a demo shows is said with the line.
            () = &mut patience, if !waits_for_all => None,
        };
        let is_built = built.is_some();
        if let Some(built) = built {
            demo = built;
            tokio::select! {
                () = all_hold(&board) => {}
                () = &mut patience => {}
            }
        }
        for (check, reason) in board.missing() {
            tracing::warn!(check, reason, "not ready yet");
        }
        // Nobody waits for the line: it runs all the same.
        let _ = output::print(&ready::line(format, &addresses, demo.as_ref()));
        if !is_built {
            building.await?;
        }
        Ok(())
    }

    async fn build(
        &mut self,
        home: Option<&DataDirectory>,
        sandbox: Option<TcpListener>,
        alarm: mpsc::Sender<anyhow::Error>,
    ) -> anyhow::Result<Option<Demo>> {
        let keys = self.keys(home)?;
        let egress = self.egress()?;
        let catalog = Arc::new(patchbay_connector::builtin().context("connectors can't be read")?);
        let routes = self.connect()?;
        let reserve = home.map(|home| home.reserve().clone());
        let base = Base {
            config: &self.plan.config,
            tasks: &self.tasks,
            metrics: &self.metrics,
            board: &self.board,
            reserve: reserve.clone(),
            schema: self.plan.schema,
            has_tables: self.plan.roles.iter().any(|role| recipe(*role).needs.contains(&Need::Database)),
            alarm,
        };
        let laid = self.laid.insert(ground::lay(base).await?);
        let mut site = Site {
            ground: laid.ground.clone(),
            config: Arc::clone(&self.plan.config),
            keys,
            catalog,
            egress,
            public: self.addresses.public,
            routes,
        };
        let parts = installation::install(&self.plan.roles, &mut site, laid, &self.board, &self.progress).await?;

        let shutdown = self.tasks.shutdown().clone();
        let partners = Sandbox::new();
        let demo = match (self.addresses.sandbox, home) {
            (Some(sandbox), Some(home)) => Some(demo::prepare(&site, sandbox, home.path(), &partners).await?),
            _ => None,
        };
        if let Some(listener) = sandbox {
            self.tasks.spawn("sandbox", serve_sandbox(partners, listener, shutdown.clone()));
        }
        if let Some(reserve) = reserve {
            self.tasks.spawn("disk reserve", keep_reserve(reserve, shutdown));
        }
        self.public.open(parts.public);
        self.services.open(parts.services);
        Ok(demo)
    }

    /// The keys of the configuration, else those of the data directory.
    fn keys(&self, home: Option<&DataDirectory>) -> anyhow::Result<Option<KeyRing>> {
        let configured = &self.plan.config.vault.master_keys;
        if !configured.is_empty() {
            return KeyRing::new(configured.clone()).map(Some).context("vault.master_keys can't be used");
        }
        let Some(home) = home else { return Ok(None) };
        KeyRing::load_or_create(&home.path().join(KEY_FILE)).map(Some).context("master keys can't be had")
    }

    /// The client for partners. In a demo it reaches the sandbox too, and nothing else of this machine.
    fn egress(&self) -> anyhow::Result<Egress> {
        let mut options = self.plan.config.egress.options();
        if let Some(sandbox) = self.addresses.sandbox {
            let rule: AllowRule = sandbox.to_string().parse().context("sandbox can't be allowed")?;
            options.allow_private.push(rule);
        }
        Egress::new(options).context("calls to partners can't be set up")
    }

    /// The ways to the roles that run elsewhere. Whether they can be reached is on the board.
    fn connect(&self) -> anyhow::Result<Vec<(Role, Route)>> {
        let Some(mesh) = &self.plan.mesh else { return Ok(Vec::new()) };
        if let Some(tls) = &mesh.access.tls {
            self.board.add(tls.check(Clock::system()));
        }
        let mut routes = Vec::with_capacity(mesh.peers.len());
        for (role, address) in &mesh.peers {
            let peer = peer::connect(*role, address, &mesh.access, &self.plan.config.calls, &self.tasks)?;
            self.board.add(peer.check);
            routes.push((*role, peer.route));
        }
        Ok(routes)
    }
}

async fn all_hold(board: &Board) {
    while !board.missing().is_empty() {
        tokio::time::sleep(READY_POLL).await;
    }
}

async fn serve_sandbox(sandbox: Sandbox, listener: TcpListener, shutdown: Shutdown) {
    let begun = shutdown.clone();
    if let Err(error) = sandbox.serve(listener, async move { begun.begun().await }).await {
        tracing::error!(%error, "sandbox can't be served any longer, shutting down");
        shutdown.begin();
    }
}

/// Takes the reserve back as soon as there is room again.
async fn keep_reserve(reserve: Reserve, shutdown: Shutdown) {
    while shutdown.or(tokio::time::sleep(RESERVE_EVERY)).await.is_some() {
        let reserve = reserve.clone();
        if reserve.is_spent() && tokio::task::spawn_blocking(move || reserve.restore()).await.unwrap_or(false) {
            tracing::info!("disk reserve is there again");
        }
    }
}
