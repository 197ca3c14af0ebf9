//! What is measured: a system with its partner, on fresh data.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use http::Uri;
use patchbay_runtime::Tasks;
use tempfile::TempDir;

use crate::patchbay;
use crate::process::Process;
use crate::stub_client::Stub;

/// Which system.
#[derive(Debug, Clone)]
pub(crate) enum System {
    Bare,
    Patchbay { executable: PathBuf, concurrency: u32 },
}

/// A running system. Dropping it ends all its processes, then removes the data.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) process: Process,
    pub(crate) stub: Stub,
    pub(crate) hook: Uri,
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
    pub(crate) async fn start(&self, root: &Path, tasks: &Tasks) -> Result<Subject> {
        let directory = tempfile::Builder::new()
            .prefix("run-")
            .tempdir_in(root)
            .with_context(|| format!("make a directory in {}", root.display()))?;
        let stub = Stub::start(directory.path(), tasks).await?;
        let (process, hook) = match self {
            Self::Bare => (start_bare(directory.path(), &stub)?, Uri::from_static("/")),
            Self::Patchbay { executable, concurrency } => {
                let process = patchbay::start(executable, directory.path(), stub.address())?;
                let prepared = patchbay::prepare(process.listen, stub.address(), *concurrency, tasks).await;
                if prepared.is_err() {
                    eprintln!("{}", process.last_words());
                }
                let hook = prepared.context("set up patchbay")?;
                (process, hook)
            }
        };
        Ok(Subject { process, stub, hook, next_number: 0, _directory: directory })
    }
}

fn start_bare(directory: &Path, stub: &Stub) -> Result<Process> {
    let mut command = Command::new(std::env::current_exe().context("find this executable")?);
    command.args(["bare", "--stub", &stub.address().to_string(), "--data-dir"]).arg(directory);
    Process::start("the bare pipeline", command, directory.join("bare.log"))
}
