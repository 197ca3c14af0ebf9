//! Patchbay from the executable to a published automation: in one process, or each role in its own.

mod desk;
mod mesh;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use serde_json::json;

pub(crate) use self::desk::{Partner, prepare};
pub(crate) use self::mesh::{EXECUTOR, Mesh};
use crate::fleet::Fleet;
use crate::process::{Process, run_to_end};
use crate::services::Place;

/// The user whose orders are measured, in a workspace of their own.
pub(crate) const USER: &str = "bench@example.com";
/// Of a user in throwaway data.
const PASSWORD: &str = "a password of the benchmark";
const STORE_URL: &str = "PATCHBAY__STORE__URL";
const ANY_PORT: &str = "127.0.0.1:0";

/// An executable, and all that its processes are told on one place.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    executable: PathBuf,
    directory: PathBuf,
    settings: Vec<(String, String)>,
}

impl Setup {
    /// `stub` is the partner that may be called.
    pub(crate) fn new(executable: &Path, directory: &Path, place: &Place, stub: SocketAddr) -> Self {
        let mut setup =
            Self { executable: executable.to_owned(), directory: directory.to_owned(), settings: Vec::new() };
        setup.tell("PATCHBAY__EGRESS__ALLOW_PRIVATE", json!([stub.to_string()]).to_string());
        if let Some(store) = &place.store {
            setup.tell(STORE_URL, store.clone());
        }
        if let Some(broker) = &place.broker {
            setup.tell("PATCHBAY__BROKER__URL", broker.clone());
            setup.tell("PATCHBAY__BROKER__PREFIX", place.name.clone());
        }
        setup
    }

    fn tell(&mut self, variable: &str, value: String) {
        self.settings.push((variable.to_owned(), value));
    }

    /// All roles in one process.
    pub(crate) fn start(&self) -> Result<Fleet> {
        if self.settings.iter().any(|(name, _)| name == STORE_URL) {
            self.migrate()?;
        }
        self.create_user(USER)?;
        let mut up = self.command();
        up.args(["up", "--listen", ANY_PORT, "--grpc-listen", ANY_PORT, "--admin-listen", ANY_PORT]);
        up.args(["--log-format", "json", "--data-dir"]).arg(self.data_dir());
        Ok(Fleet::single("up", Process::start("patchbay up", up, self.directory.join("patchbay.log"))?))
    }

    /// Makes the tables of a database server.
    fn migrate(&self) -> Result<()> {
        let mut migrate = self.command();
        migrate.arg("migrate");
        run_to_end("patchbay migrate", migrate, "", self.directory.join("migrate.log"))
    }

    /// Makes a user with a workspace.
    pub(crate) fn create_user(&self, email: &str) -> Result<()> {
        let mut create = self.command();
        create.args(["user", "create", "--email", email, "--password-stdin", "--data-dir"]).arg(self.data_dir());
        run_to_end("patchbay user create", create, PASSWORD, self.directory.join("user.log"))
    }

    fn data_dir(&self) -> PathBuf {
        self.directory.join("data")
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.executable);
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
    }
}
