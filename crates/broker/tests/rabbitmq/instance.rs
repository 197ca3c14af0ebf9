//! A server of one test alone, which it may kill.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::prefix;

/// Ends with its data when it is dropped.
#[derive(Debug)]
pub(crate) struct Instance {
    directory: PathBuf,
    pub(crate) url: String,
}

impl Instance {
    pub(crate) async fn start() -> Self {
        let directory = root().join("target/services/private").join(format!("rabbitmq-{}", prefix()));
        let url = run("start-rabbitmq", &directory, &[]).await;
        Self { directory, url }
    }

    /// By SIGKILL.
    pub(crate) async fn kill(&self) {
        run("kill-rabbitmq", &self.directory, &[]).await;
    }

    pub(crate) async fn start_again(&self) {
        run("start-rabbitmq", &self.directory, &[]).await;
    }

    /// Tells the server to do something.
    pub(crate) async fn control(&self, arguments: &[&str]) {
        run("rabbitmqctl", &self.directory, arguments).await;
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // A server that stays is ended by `make services-down`.
        let _ = command("stop-rabbitmq", &self.directory, &[]).status();
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().parent().unwrap()
}

fn command(name: &str, directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(root().join("deploy/services.sh"));
    command.arg(name).arg(directory).args(arguments);
    command
}

/// What the script prints.
async fn run(name: &str, directory: &Path, arguments: &[&str]) -> String {
    let mut command = command(name, directory, arguments);
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
