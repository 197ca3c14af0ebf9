//! Servers that all tests share, and what the tests are asked to run on.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
};

use patchbay_runtime::config::variable;
use uuid::Uuid;

const POSTGRES: &str = "PATCHBAY_TEST_POSTGRES_URL";
const AMQP: &str = "PATCHBAY_TEST_AMQP_URL";

/// The engine that tests run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    /// A file of the test.
    Sqlite,
    /// A schema of the test on the shared server.
    Postgres,
}

/// The broker that tests run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrokerKind {
    /// Files of the test.
    Embedded,
    /// Queues of the test on the shared server.
    RabbitMq,
}

/// What `PATCHBAY_TEST_STORE` asks for: `sqlite` (the default) or `postgres`.
///
/// # Panics
/// When it is something else.
#[must_use]
pub fn store_kind() -> StoreKind {
    match variable("PATCHBAY_TEST_STORE").as_deref() {
        None | Some("" | "sqlite") => StoreKind::Sqlite,
        Some("postgres") => StoreKind::Postgres,
        Some(other) => panic!("PATCHBAY_TEST_STORE is `{other}`; expected sqlite or postgres"),
    }
}

/// What `PATCHBAY_TEST_BROKER` asks for: `embedded` (the default) or `rabbitmq`.
///
/// # Panics
/// When it is something else.
#[must_use]
pub fn broker_kind() -> BrokerKind {
    match variable("PATCHBAY_TEST_BROKER").as_deref() {
        None | Some("" | "embedded") => BrokerKind::Embedded,
        Some("rabbitmq") => BrokerKind::RabbitMq,
        Some(other) => panic!("PATCHBAY_TEST_BROKER is `{other}`; expected embedded or rabbitmq"),
    }
}

/// The address of an empty schema of its own on the shared PostgreSQL. Nobody removes it: the server is a throwaway one.
///
/// # Panics
/// When there is no such server: says what to do.
#[must_use]
pub fn postgres_url() -> String {
    postgres_url_of(&fresh_name("test_"))
}

/// The address of the shared RabbitMQ, and a prefix for queues and exchanges of its own.
///
/// # Panics
/// When there is no such server: says what to do.
#[must_use]
pub fn amqp() -> (String, String) {
    (shared(AMQP), fresh_name("test-"))
}

/// The address of the database that belongs to `folder`, on the engine that tests run on.
///
/// # Panics
/// When it can't be made.
#[must_use]
pub fn store_url(folder: &Path) -> String {
    match store_kind() {
        StoreKind::Sqlite => format!("sqlite://{}", folder.join("patchbay.db").display()),
        StoreKind::Postgres => postgres_url_of(&remembered(&folder.join("postgres-schema"), "test_")),
    }
}

/// The address of the shared RabbitMQ, and the prefix that belongs to `folder`.
pub(crate) fn amqp_in(folder: &Path) -> (String, String) {
    (shared(AMQP), remembered(&folder.join("rabbitmq-prefix"), "test-"))
}

fn fresh_name(prefix: &str) -> String {
    format!("{prefix}{}", &Uuid::new_v4().simple().to_string()[..20])
}

#[expect(clippy::expect_used, reason = "tests say by panic what went wrong")]
fn remembered(file: &Path, prefix: &str) -> String {
    if let Ok(name) = fs::read_to_string(file) {
        return name;
    }
    let name = fresh_name(prefix);
    fs::write(file, &name).expect("the folder of the test takes files");
    name
}

/// On a thread and runtime of its own, so that tests of any runtime, or none, may ask.
#[expect(clippy::expect_used, reason = "tests say by panic what went wrong")]
fn postgres_url_of(schema: &str) -> String {
    let (url, schema) = (shared(POSTGRES), schema.to_owned());
    let making = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        match runtime.block_on(patchbay_store::schema::make(&url, &schema)) {
            Ok(url) => url,
            Err(error) => {
                panic!("{}\nhint: `make services-down`, then `make services-up`, start PostgreSQL anew", error.chain())
            }
        }
    });
    making.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Where a shared server is: as the environment says, or else as `make services-up` wrote it down.
fn shared(name: &str) -> String {
    if let Some(url) = variable(name).filter(|url| !url.is_empty()) {
        return url;
    }
    let file = checkout().join("target/services/environment");
    let lines = fs::read_to_string(&file).unwrap_or_default();
    let start = format!("export {name}='");
    match lines.lines().find_map(|line| line.strip_prefix(&start)?.strip_suffix('\'')) {
        Some(url) => url.to_owned(),
        None => panic!("{name} is not set and {} does not name it\nhint: run `make services-up`", file.display()),
    }
}

/// The root of the checkout.
pub(crate) fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
