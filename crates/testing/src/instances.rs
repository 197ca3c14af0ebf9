//! Servers for one test alone, which may kill them and start them again. They are slow to start (PostgreSQL about a
//! second, RabbitMQ about five): share one where nobody is killed, with [`postgres_url`](crate::postgres_url) and
//! [`amqp`](crate::amqp).

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use uuid::Uuid;

use crate::services::checkout;

/// A PostgreSQL of its own: a superuser without a password, and members of the role `with_password` (which a test may
/// make) with theirs. Ends when it is dropped.
#[derive(Debug)]
pub struct PostgresServer {
    instance: Instance,
}

/// A RabbitMQ of its own, with one virtual host and one user. Ends when it is dropped.
#[derive(Debug)]
pub struct RabbitServer {
    instance: Instance,
}

impl PostgresServer {
    /// Starts one and returns when it answers.
    ///
    /// # Panics
    /// When it can't be started.
    #[must_use]
    pub fn start() -> Self {
        Self { instance: Instance::start("postgres") }
    }

    /// Its address. It stays the same.
    #[must_use]
    pub fn url(&self) -> String {
        self.instance.url.clone()
    }

    /// Ends it and all its processes by SIGKILL.
    ///
    /// # Panics
    /// When that fails.
    pub fn kill(&self) {
        self.instance.run("kill");
    }

    /// Starts it again on the same port and data, and returns when it answers.
    ///
    /// # Panics
    /// When it can't be started.
    pub fn start_again(&self) {
        self.instance.start_again();
    }
}

impl RabbitServer {
    /// Starts one and returns when it answers.
    ///
    /// # Panics
    /// When it can't be started.
    #[must_use]
    pub fn start() -> Self {
        Self { instance: Instance::start("rabbitmq") }
    }

    /// Its address. It stays the same.
    #[must_use]
    pub fn url(&self) -> String {
        self.instance.url.clone()
    }

    /// Ends it and all its processes by SIGKILL.
    ///
    /// # Panics
    /// When that fails.
    pub fn kill(&self) {
        self.instance.run("kill");
    }

    /// Starts it again on the same port and data, and returns when it answers.
    ///
    /// # Panics
    /// When it can't be started.
    pub fn start_again(&self) {
        self.instance.start_again();
    }

    /// Makes one more virtual host, with all rights for the user, and gives its address.
    ///
    /// # Panics
    /// When that fails.
    #[must_use]
    pub fn vhost(&self, name: &str) -> String {
        run(&["vhost", &self.instance.folder_text(), name])
    }

    /// Runs `rabbitmqctl` on it and gives what it prints, such as for `["list_queues"]`.
    ///
    /// # Panics
    /// When that fails.
    pub fn control(&self, arguments: &[&str]) -> String {
        let folder = self.instance.folder_text();
        run(&[&["rabbitmqctl", folder.as_str()], arguments].concat())
    }
}

/// What `deploy/services.sh` keeps in one folder. It is in the checkout, so that `make services-down` finds what a test
/// that was killed itself left behind.
#[derive(Debug)]
struct Instance {
    kind: &'static str,
    folder: PathBuf,
    url: String,
}

impl Instance {
    fn start(kind: &'static str) -> Self {
        let name = format!("{kind}-{}", &Uuid::new_v4().simple().to_string()[..12]);
        let folder = checkout().join("target/services/private").join(name);
        let mut instance = Self { kind, folder, url: String::new() };
        instance.url = instance.run("start");
        instance
    }

    fn start_again(&self) {
        assert_eq!(self.run("start"), self.url);
    }

    fn run(&self, verb: &str) -> String {
        run(&[&format!("{verb}-{}", self.kind), &self.folder_text()])
    }

    fn folder_text(&self) -> String {
        self.folder.display().to_string()
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let verb = format!("stop-{}", self.kind);
        // A test that fails has more to say than this.
        let _ = script(&checkout()).args([verb.as_ref(), self.folder.as_os_str()]).output();
    }
}

fn script(checkout: &Path) -> Command {
    let mut command = Command::new(checkout.join("deploy/services.sh"));
    command.stdin(Stdio::null());
    command
}

/// What the script prints, without the end of its line.
#[expect(clippy::expect_used, reason = "tests say by panic what went wrong")]
fn run(arguments: &[&str]) -> String {
    let output = script(&checkout()).args(arguments).output().expect("deploy/services.sh runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "deploy/services.sh {arguments:?} failed: {said}");
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}
