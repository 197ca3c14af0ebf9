//! The mesh: every role a process of its own, over one PostgreSQL and one RabbitMQ.

use std::{
    collections::BTreeMap,
    net::TcpListener,
    process::{Child, Stdio},
};

use patchbay_testing::{http, wait_for};

use crate::house::{PATIENCE, Person, Process, command, create_user_named};

/// The roles, in the order in which a person would start them.
pub(crate) const ROLES: [&str; 7] =
    ["connection", "catalog", "automation", "trigger-poller", "webhook-ingress", "action-executor", "gateway"];
const TOKEN: &str = "a token that only these processes know";
const MASTER_KEY: &str = "[\"k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\"]";

/// Where a mesh stands.
#[derive(Clone)]
pub(crate) struct Ground {
    pub(crate) store: String,
    pub(crate) broker: String,
    pub(crate) prefix: String,
}

impl Ground {
    /// A schema and a prefix of its own on the services that all tests share.
    pub(crate) fn shared() -> Self {
        let (broker, prefix) = patchbay_testing::amqp();
        Self { store: patchbay_testing::postgres_url(), broker, prefix }
    }

    fn settings(&self) -> Vec<(String, String)> {
        let pairs = [
            ("PATCHBAY__STORE__URL", self.store.as_str()),
            ("PATCHBAY__BROKER__URL", &self.broker),
            ("PATCHBAY__BROKER__PREFIX", &self.prefix),
        ];
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }
}

/// One process of the mesh, running or not, with the addresses that it keeps.
pub(crate) struct Member {
    role: &'static str,
    listen: String,
    grpc: String,
    admin: String,
    /// What differs for this one.
    own: Vec<(String, String)>,
    child: Option<Child>,
}

impl Member {
    fn new(role: &'static str) -> Self {
        Self { role, listen: free_address(), grpc: free_address(), admin: free_address(), own: Vec::new(), child: None }
    }

    pub(crate) fn listen(&self) -> &str {
        &self.listen
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| child.try_wait().unwrap().is_none())
    }

    /// SIGKILL: no word of farewell.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let child = self.child.as_ref().unwrap();
        rustix::process::kill_process(rustix::process::Pid::from_child(child), signal).unwrap();
    }

    /// The size of its memory, in KiB.
    pub(crate) fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.as_ref().unwrap().id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.kill();
    }
}

/// All processes by name: that of the role, with a number behind it for the second and later ones.
pub(crate) struct Mesh {
    pub(crate) members: BTreeMap<String, Member>,
    settings: Vec<(String, String)>,
}

impl Mesh {
    /// Seven processes, and one more of each role in `more`, with migrated tables and a first user.
    pub(crate) async fn start(ground: &Ground, others: &[(&'static str, String)], more: &[&'static str]) -> Self {
        let mut mesh = Self::lay(ground, others, more);
        mesh.begin().await;
        mesh
    }

    /// Migrates, makes the first user, and starts all processes.
    pub(crate) async fn begin(&mut self) {
        let migrated = command(&["migrate"], &self.borrowed(&[])).stdout(Stdio::null()).status().unwrap();
        assert!(migrated.success(), "patchbay migrate failed");
        create_user_named("ann@example.com", &[], &self.borrowed(&[]));
        for name in self.names() {
            self.run(&name);
        }
        for name in self.names() {
            self.ready(&name).await;
        }
    }

    /// The same, with nothing migrated and nothing running.
    pub(crate) fn lay(ground: &Ground, others: &[(&'static str, String)], more: &[&'static str]) -> Self {
        let mut members = BTreeMap::new();
        for role in ROLES.into_iter().chain(more.iter().copied()) {
            let before = members.values().filter(|member: &&Member| member.role == role).count();
            let name = if before == 0 { role.to_owned() } else { format!("{role}-{}", before + 1) };
            members.insert(name, Member::new(role));
        }
        let mut settings = ground.settings();
        settings.push(("PATCHBAY__SERVICE_AUTH__TOKEN".to_owned(), TOKEN.to_owned()));
        settings.push(("PATCHBAY__VAULT__MASTER_KEYS".to_owned(), MASTER_KEY.to_owned()));
        settings.push(("PATCHBAY__PUBLIC_URL".to_owned(), format!("http://{}", members["webhook-ingress"].listen)));
        for role in ROLES {
            let addresses: Vec<String> = members
                .values()
                .filter(|member| member.role == role)
                .map(|member| format!("http://{}", member.grpc))
                .collect();
            settings.push((format!("PATCHBAY__PEERS__{}", role.to_uppercase().replace('-', "_")), addresses.join(",")));
        }
        settings.extend(others.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        Self { members, settings }
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.members.keys().cloned().collect()
    }

    pub(crate) fn member(&mut self, name: &str) -> &mut Member {
        self.members.get_mut(name).unwrap()
    }

    /// A setting of one process alone.
    pub(crate) fn set(&mut self, name: &str, key: &str, value: &str) {
        self.member(name).own.push((key.to_owned(), value.to_owned()));
    }

    /// Starts a process without waiting for it.
    pub(crate) fn run(&mut self, name: &str) {
        let member = &self.members[name];
        let arguments = [
            "serve",
            "--roles",
            member.role,
            "--listen",
            &member.listen,
            "--grpc-listen",
            &member.grpc,
            "--admin-listen",
            &member.admin,
        ];
        let child = command(&arguments, &self.borrowed(&member.own)).stdout(Stdio::null()).spawn().unwrap();
        self.member(name).child = Some(child);
    }

    /// Waits until a process says that it can make progress.
    pub(crate) async fn ready(&self, name: &str) {
        let admin = &self.members[name].admin;
        let what = format!("{name} to be ready");
        wait_for(&what, PATIENCE, async || {
            let answer = http::call(admin, "GET", "/readyz", &[], b"").await.ok()?;
            (answer.status == 200).then_some(())
        })
        .await;
    }

    /// What a process says about its readiness, as soon as it says `words`.
    pub(crate) async fn says(&self, name: &str, words: &str) -> String {
        let admin = &self.members[name].admin;
        wait_for(&format!("{name} to say: {words}"), PATIENCE, async || {
            let answer = http::call(admin, "GET", "/readyz", &[], b"").await.ok()?;
            answer.body.contains(words).then_some(answer.body)
        })
        .await
    }

    pub(crate) async fn log_in(&self) -> Person {
        Person::log_in_as("ann@example.com", &self.members["gateway"].listen).await
    }

    /// The settings of a process, its own last.
    pub(crate) fn borrowed<'a>(&'a self, own: &'a [(String, String)]) -> Vec<(&'a str, &'a str)> {
        self.settings.iter().chain(own).map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }
}

/// An address that nobody listens at now. Processes that are started again need one that stays the same.
pub(crate) fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// Leave to call the sandbox, and short waits.
pub(crate) fn settings(sandbox: &Process) -> Vec<(&'static str, String)> {
    let short = [
        ("PATCHBAY__BROKER__HEARTBEAT", "2s"),
        ("PATCHBAY__BROKER__RECONNECT_WAIT", "50ms"),
        ("PATCHBAY__BROKER__RECONNECT_WAIT_MOST", "500ms"),
        ("PATCHBAY__BROKER__CONFIRM_TIMEOUT", "2s"),
        ("PATCHBAY__BROKER__CONNECT_TIMEOUT", "1s"),
        ("PATCHBAY__CALLS__TIMEOUT", "2s"),
        ("PATCHBAY__CALLS__CONNECT_TIMEOUT", "1s"),
        ("PATCHBAY__CALLS__KEEPALIVE", "1s"),
        ("PATCHBAY__STORE__PATIENCE", "2s"),
        ("PATCHBAY__STORE__STATEMENT_TIMEOUT", "3s"),
    ];
    let mut settings = crate::house::settings(sandbox);
    settings.extend(short.map(|(name, value)| (name, value.to_owned())));
    settings
}
