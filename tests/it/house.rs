//! The executable as a process, and a partner beside it.

use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use patchbay_testing::{
    http::{self, Answer},
    wait_for,
};
use serde_json::{Value, json};

/// How long a start, an end or a wait may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
const PASSWORD: &str = "correct horse";

/// The executable under test: it is built into the folder above the one of the tests.
pub(crate) fn executable() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let path = tests.parent().unwrap().parent().unwrap().join("patchbay");
    assert!(path.exists(), "{} is missing; run `make test`, or `cargo build -p patchbay` first", path.display());
    path
}

/// A process that is killed when its test ends.
pub(crate) struct Process {
    child: Child,
    /// Addresses by the names in its line `ready`.
    pub(crate) ready: Value,
}

impl Process {
    /// Starts the executable and reads its line `ready`.
    pub(crate) fn start(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut child = command(arguments, environment).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "patchbay {arguments:?} ended before it was ready: {:?}", child.wait());
        let ready = serde_json::from_str(&line).unwrap_or_else(|_| words(&line));
        Self { child, ready }
    }

    /// An address, as host and port.
    pub(crate) fn address(&self, name: &str) -> &str {
        self.ready[name].as_str().unwrap().trim_start_matches("http://")
    }

    /// Sends a signal that does not end it.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal).unwrap();
    }

    /// SIGKILL: no word of farewell.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM. Gives the exit code back.
    pub(crate) fn terminate(mut self) -> Option<i32> {
        self.signal(rustix::process::Signal::TERM);
        self.child.wait().unwrap().code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `ready name=address name=address` as an object.
fn words(line: &str) -> Value {
    line.split_whitespace()
        .filter_map(|word| word.split_once('='))
        .map(|(name, value)| (name.to_owned(), Value::from(value)))
        .collect()
}

/// A call of the executable with nothing of this process's own configuration. Its log goes to a file where
/// `PATCHBAY_TEST_LOG` names one.
pub(crate) fn command(arguments: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(executable());
    command.args(arguments).envs(environment.iter().copied()).stdin(Stdio::null()).stderr(Stdio::null());
    if let Some(path) = std::env::var_os("PATCHBAY_TEST_LOG") {
        command.stderr(std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap());
    }
    command
}

/// The partner sandbox in a process of its own, which outlives the one under test.
pub(crate) fn sandbox() -> Process {
    Process::start(&["sandbox", "--listen", "127.0.0.1:0"], &[])
}

/// Short waits, and leave to call the sandbox.
pub(crate) fn settings(sandbox: &Process) -> Vec<(&'static str, String)> {
    vec![
        ("PATCHBAY__EGRESS__ALLOW_PRIVATE", format!("[\"{}\"]", sandbox.address("listen"))),
        ("PATCHBAY__EXECUTOR__LEASE", "2s".to_owned()),
        ("PATCHBAY__EXECUTOR__POLL", "50ms".to_owned()),
        ("PATCHBAY__EXECUTOR__RETRY_DELAYS", "[\"100ms\", \"200ms\", \"400ms\", \"800ms\", \"1s\", \"1s\"]".to_owned()),
        ("PATCHBAY__EXECUTOR__CIRCUIT_WAIT", "100ms".to_owned()),
        ("PATCHBAY__EXECUTOR__CIRCUIT_WAIT_MOST", "500ms".to_owned()),
        ("PATCHBAY__EXECUTOR__RETELL_AFTER", "1s".to_owned()),
        ("PATCHBAY__STORAGE__RESERVE_BYTES", "1048576".to_owned()),
        ("PATCHBAY__BROKER__FREE_BYTES", "1048576".to_owned()),
    ]
}

/// `patchbay up` on a data directory.
pub(crate) fn up(data: &Path, settings: &[(&'static str, String)]) -> Process {
    let data = data.to_str().unwrap();
    let any = "127.0.0.1:0";
    let arguments = [
        "up",
        "--data-dir",
        data,
        "--listen",
        any,
        "--grpc-listen",
        any,
        "--admin-listen",
        any,
        "--log-format",
        "json",
    ];
    let environment: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    Process::start(&arguments, &environment)
}

/// Makes the first user of a data directory.
pub(crate) fn create_user(data: &Path) {
    create_user_named("ann@example.com", &["--data-dir", data.to_str().unwrap()], &[]);
}

/// Makes a user of the database that arguments and environment name.
pub(crate) fn create_user_named(email: &str, others: &[&str], environment: &[(&str, &str)]) {
    let arguments = [&["user", "create", "--email", email, "--password-stdin"], others].concat();
    let mut child = command(&arguments, environment).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "user create failed");
}

/// A person with a token, talking to one address.
pub(crate) struct Person {
    address: String,
    authorization: String,
}

impl Person {
    /// Logs in.
    pub(crate) async fn log_in(house: &Process) -> Self {
        Self::log_in_as("ann@example.com", house.address("listen")).await
    }

    /// Logs in at a gateway.
    pub(crate) async fn log_in_as(email: &str, address: &str) -> Self {
        let address = address.to_owned();
        let login = json!({"email": email, "password": PASSWORD}).to_string();
        let answer = http::call(&address, "POST", "/user/auth", &[JSON], login.as_bytes()).await.unwrap();
        let token = answer.json()["data"]["authToken"].as_str().unwrap().to_owned();
        Self { address, authorization: format!("Bearer {token}") }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The value of the header that says who it is.
    pub(crate) fn authorization(&self) -> &str {
        &self.authorization
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer =
            http::call(&self.address, "GET", path, &[("authorization", &self.authorization)], b"").await.unwrap();
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.json()
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        let headers = [("authorization", self.authorization.as_str()), JSON];
        http::call(&self.address, "POST", path, &headers, body.to_string().as_bytes()).await.unwrap()
    }

    /// A connection to Altcraft at `host`.
    pub(crate) async fn connect(&self, host: &str) -> i64 {
        let fields = json!({"host": format!("http://{host}"), "token": "sandbox-altcraft-token"});
        self.connect_to("altcraft", fields).await
    }

    /// A connection to a partner.
    pub(crate) async fn connect_to(&self, partner: &str, fields: Value) -> i64 {
        let answer = self.post("/v1/connections", &json!({"partner": partner, "fields": fields})).await;
        assert!(answer.status < 300, "{}", answer.body);
        answer.json()["id"].as_i64().unwrap()
    }

    /// A published automation with one step. Gives its id and the path of its hook.
    pub(crate) async fn automate(&self, step: Value) -> (String, String) {
        self.automate_by(json!({"operation": "webhook.received"}), step).await
    }

    /// As [`Self::automate`], with another trigger.
    pub(crate) async fn automate_by(&self, trigger: Value, step: Value) -> (String, String) {
        let document = json!({"name": "test", "trigger": trigger, "steps": [step]});
        let created = self.post("/v1/automations", &document).await;
        assert!(created.status < 300, "{}", created.body);
        let id = created.json()["id"].as_str().unwrap().to_owned();
        let published = self.post(&format!("/v1/automations/{id}/publish"), &json!({})).await;
        assert_eq!(published.status, 200, "{}", published.body);
        let url = published.json()["trigger"]["hook_url"].as_str().unwrap().to_owned();
        let path = url[url.find("/hooks/").unwrap()..].to_owned();
        (id, path)
    }

    /// All runs, newest first, however often the gateway refuses meanwhile.
    pub(crate) async fn all_runs(&self) -> Vec<Value> {
        let mut runs = Vec::new();
        let mut cursor = String::new();
        loop {
            let path = format!("/v1/runs?limit=200{cursor}");
            let headers = [("authorization", self.authorization.as_str())];
            let page = wait_for(&path, PATIENCE, async || {
                let answer = http::call(&self.address, "GET", &path, &headers, b"").await.ok()?;
                (answer.status == 200).then(|| answer.json())
            })
            .await;
            runs.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return runs,
            }
        }
    }

    /// All runs, newest first.
    pub(crate) async fn runs(&self, filter: &str) -> Vec<Value> {
        let mut runs = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.get(&format!("/v1/runs?limit=1000{filter}{cursor}")).await;
            runs.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return runs,
            }
        }
    }
}

/// What most stories begin with: a house with its first user, logged in, and a partner.
pub(crate) struct Scene {
    pub(crate) house: Process,
    pub(crate) person: Person,
    pub(crate) sandbox: Process,
    /// Kept as long as the house stands in it.
    _folder: tempfile::TempDir,
}

impl Scene {
    pub(crate) async fn begin() -> Self {
        Self::with(&[]).await
    }

    /// A scene whose settings differ in these.
    pub(crate) async fn with(others: &[(&'static str, String)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sandbox = sandbox();
        create_user(folder.path());
        let mut settings = settings(&sandbox);
        settings.extend_from_slice(others);
        let house = up(folder.path(), &settings);
        let person = Person::log_in(&house).await;
        Self { house, person, sandbox, _folder: folder }
    }

    /// A connection to the sandbox.
    pub(crate) async fn connect(&self) -> i64 {
        self.person.connect(self.sandbox.address("listen")).await
    }
}

pub(crate) const JSON: (&str, &str) = ("content-type", "application/json");

/// A step that imports a profile and launches a scenario: doing it twice would be seen.
pub(crate) fn launch(connection: i64) -> Value {
    json!({
        "key": "launch", "operation": "altcraft.import_and_launch_scenario", "connection_id": connection,
        "input": {
            "db_id": 7, "workflow_id": 12, "matching": "email", "email": "{{ trigger.email }}",
            "data": {"_fname": "{{ trigger.first_name | title }}"},
        },
    })
}

/// A step that imports a profile: doing it twice does no harm.
pub(crate) fn import(connection: i64) -> Value {
    json!({
        "key": "import", "operation": "altcraft.import_profile", "connection_id": connection,
        "input": {
            "db_id": 7, "matching": "email", "email": "{{ trigger.email }}",
            "data": {"_fname": "{{ trigger.first_name }}"},
        },
    })
}

/// Posts an event by its own connection. Nothing when the connection broke.
pub(crate) async fn post(address: &str, hook: &str, id: &str, body: &Value) -> Option<Answer> {
    http::call(address, "POST", hook, &[JSON, ("x-event-id", id)], body.to_string().as_bytes()).await.ok()
}
