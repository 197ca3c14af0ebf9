//! Servers for one test alone, which may kill them and start them again. They are slow to start (PostgreSQL about a
//! second, RabbitMQ about five): share one where nobody is killed, with [`postgres_url`](crate::postgres_url) and
//! [`amqp`](crate::amqp).

use std::{
    fs,
    marker::PhantomData,
    path::PathBuf,
    process::{Command, Stdio},
};

use uuid::Uuid;

use crate::services::checkout;

/// A PostgreSQL of its own: a superuser without a password, and members of the role `with_password` (which a test may
/// make) with theirs. Ends when it is dropped.
pub type PostgresServer = Server<Postgres>;

/// A RabbitMQ of its own, with one virtual host and one user. Ends when it is dropped.
pub type RabbitServer = Server<Rabbit>;

/// What `deploy/services.sh` keeps in one folder. It is in the checkout, so that `make services-down` finds what a test
/// that was killed itself left behind.
#[derive(Debug)]
pub struct Server<K: Kind> {
    folder: PathBuf,
    url: String,
    kind: PhantomData<K>,
}

/// Which server it is.
pub trait Kind {
    /// What the script calls it.
    const NAME: &'static str;
}

/// The kind of [`PostgresServer`].
#[derive(Debug)]
pub enum Postgres {}

/// The kind of [`RabbitServer`].
#[derive(Debug)]
pub enum Rabbit {}

impl Kind for Postgres {
    const NAME: &'static str = "postgres";
}

impl Kind for Rabbit {
    const NAME: &'static str = "rabbitmq";
}

impl<K: Kind> Server<K> {
    /// Starts one and returns when it answers.
    ///
    /// # Panics
    /// When it can't be started.
    #[must_use]
    pub fn start() -> Self {
        let mut server = Self::prepare();
        server.url = server.turn("start");
        server
    }

    /// One that is still to be started.
    fn prepare() -> Self {
        let name = format!("{}-{}", K::NAME, &Uuid::new_v4().simple().to_string()[..12]);
        let folder = checkout().join("target/services/private").join(name);
        Self { folder, url: String::new(), kind: PhantomData }
    }

    /// Its address. It stays the same.
    #[must_use]
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Ends it and all its processes by SIGKILL.
    ///
    /// # Panics
    /// When that fails.
    pub fn kill(&self) {
        self.turn("kill");
    }

    /// Starts it again on the same port and data, and returns when it answers.
    ///
    /// # Panics
    /// When it can't be started.
    pub fn start_again(&self) {
        assert_eq!(self.turn("start"), self.url);
    }

    fn turn(&self, verb: &str) -> String {
        self.run(&format!("{verb}-{}", K::NAME), &[])
    }

    /// What the script prints, without the end of its line.
    #[expect(clippy::expect_used, reason = "tests say by panic what went wrong")]
    fn run(&self, command: &str, arguments: &[&str]) -> String {
        let output = self.script(command).args(arguments).output().expect("deploy/services.sh runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "deploy/services.sh {command} {arguments:?} failed: {said}");
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    fn script(&self, command: &str) -> Command {
        let mut script = Command::new(checkout().join("deploy/services.sh"));
        script.arg(command).arg(&self.folder).stdin(Stdio::null());
        script
    }
}

impl RabbitServer {
    /// Starts one that listens by TLS as well, and shows there this certificate, with this key (both PEM).
    ///
    /// # Panics
    /// When it can't be started.
    #[must_use]
    #[expect(clippy::expect_used, reason = "tests say by panic what went wrong")]
    pub fn start_with_tls(certificate: &str, key: &str) -> Self {
        let mut server = Self::prepare();
        fs::create_dir_all(server.folder.join("tls")).expect("a folder for the certificate");
        server.lay(certificate, key);
        server.url = server.turn("start");
        server
    }

    /// Its address for TLS, when it was started with it.
    ///
    /// # Panics
    /// When it was not.
    #[must_use]
    #[expect(clippy::expect_used, reason = "tests say by panic what went wrong")]
    pub fn tls_url(&self) -> String {
        fs::read_to_string(self.folder.join("tls/url")).expect("a server with TLS").trim_end().to_owned()
    }

    /// From now on it shows this certificate to those who connect.
    ///
    /// # Panics
    /// When that fails.
    pub fn show(&self, certificate: &str, key: &str) {
        self.lay(certificate, key);
        self.control(&["eval", "ssl:clear_pem_cache()."]);
    }

    #[expect(clippy::expect_used, reason = "tests say by panic what went wrong")]
    fn lay(&self, certificate: &str, key: &str) {
        for (name, text) in [("certificate.pem", certificate), ("key.pem", key)] {
            fs::write(self.folder.join("tls").join(name), text).expect("a file for the certificate");
        }
    }

    /// Makes one more virtual host, with all rights for the user, and gives its address.
    ///
    /// # Panics
    /// When that fails.
    #[must_use]
    pub fn vhost(&self, name: &str) -> String {
        self.run("vhost", &[name])
    }

    /// Runs `rabbitmqctl` on it and gives what it prints, such as for `["list_queues"]`.
    ///
    /// # Panics
    /// When that fails.
    pub fn control(&self, arguments: &[&str]) -> String {
        self.run("rabbitmqctl", arguments)
    }
}

impl<K: Kind> Drop for Server<K> {
    fn drop(&mut self) {
        // A test that fails has more to say than this.
        let _ = self.script(&format!("stop-{}", K::NAME)).output();
    }
}
