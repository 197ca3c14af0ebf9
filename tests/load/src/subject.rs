//! What is measured: a system with its partner, on fresh data.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use http::Uri;
use patchbay_runtime::Tasks;
use tempfile::TempDir;
use tokio::time::{Duration, sleep};

use crate::fleet::{Fleet, MemoryByMember};
use crate::options::{BARE_BROKER, BARE_STORE};
use crate::patchbay::{self, Mesh, Partner, Setup, USER};
use crate::process::Process;
use crate::services::Place;
use crate::stub_client::Stub;

/// After the start, before the memory of idle processes is read.
const IDLE_REST: Duration = Duration::from_secs(1);

/// Which system.
#[derive(Debug, Clone)]
pub(crate) enum System {
    Bare,
    Patchbay {
        executable: PathBuf,
        concurrency: u32,
        /// Whether each role is a process of its own.
        is_mesh: bool,
    },
}

/// A running system. Dropping it ends all its processes, then removes the data.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) fleet: Fleet,
    pub(crate) stub: Stub,
    pub(crate) hook: Uri,
    /// How its roles are started again, where they are processes of their own.
    pub(crate) mesh: Option<Mesh>,
    /// Bytes of memory of each process after the start.
    pub(crate) idle_memory: MemoryByMember,
    /// The number of the next order that this subject has not seen.
    pub(crate) next_number: u64,
    _directory: TempDir,
}

impl System {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Patchbay { .. } => "patchbay",
        }
    }

    /// Starts it with a partner of its own, in a fresh directory below `root`.
    pub(crate) async fn start(&self, root: &Path, place: &Place, tasks: &Tasks) -> Result<Subject> {
        let directory = tempfile::Builder::new()
            .prefix("run-")
            .tempdir_in(root)
            .with_context(|| format!("make a directory in {}", root.display()))?;
        let stub = Stub::start(directory.path(), tasks).await?;
        let (fleet, mesh) = match self {
            Self::Bare => (start_bare(directory.path(), place, &stub)?, None),
            Self::Patchbay { executable, is_mesh, .. } => {
                let setup = Setup::new(executable, directory.path(), place, stub.address());
                start_patchbay(setup, *is_mesh, tasks).await?
            }
        };
        sleep(IDLE_REST).await;
        let idle_memory = fleet.memory_by_member()?;
        let hook = Uri::from_static("/");
        let mut subject = Subject { fleet, stub, hook, mesh, idle_memory, next_number: 0, _directory: directory };
        if let Self::Patchbay { concurrency, .. } = self {
            subject.hook = subject.prepare(USER, *concurrency, tasks).await?;
        }
        Ok(subject)
    }
}

impl Subject {
    /// The hook of an automation of a user that is there already.
    pub(crate) async fn prepare(&self, email: &str, concurrency: u32, tasks: &Tasks) -> Result<Uri> {
        let partner = Partner { stub: self.stub.address(), concurrency };
        let prepared = patchbay::prepare(self.fleet.api, email, partner, tasks).await;
        if prepared.is_err() {
            eprintln!("{}", self.fleet.last_words());
        }
        prepared.context("set up patchbay")
    }
}

fn start_bare(directory: &Path, place: &Place, stub: &Stub) -> Result<Fleet> {
    let mut command = Command::new(std::env::current_exe().context("find this executable")?);
    command.args(["bare", "--stub", &stub.address().to_string(), "--queue", &place.bare_queue()]);
    command.arg("--data-dir").arg(directory);
    command.envs(place.store.iter().map(|store| (BARE_STORE, store)));
    command.envs(place.broker.iter().map(|broker| (BARE_BROKER, broker)));
    Ok(Fleet::single("bare", Process::start("the bare pipeline", command, directory.join("bare.log"))?))
}

async fn start_patchbay(setup: Setup, is_mesh: bool, tasks: &Tasks) -> Result<(Fleet, Option<Mesh>)> {
    if !is_mesh {
        return Ok((setup.start()?, None));
    }
    let mesh = Mesh::lay(setup)?;
    let fleet = mesh.start(tasks).await?;
    Ok((fleet, Some(mesh)))
}
