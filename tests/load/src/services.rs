//! The database server and the message broker that the measured systems share: found, or started for the time of the benchmark.

mod database;
mod environment;
mod queues;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use patchbay_runtime::config::variable;

use self::environment::Addresses;
use crate::options::{Benchmark, Broker, Store};

const POSTGRES: &str = "PATCHBAY_TEST_POSTGRES_URL";
const AMQP: &str = "PATCHBAY_TEST_AMQP_URL";

/// Where systems get a place of their own.
#[derive(Debug)]
pub(crate) struct Services {
    postgres: Option<String>,
    amqp: Option<String>,
    /// Whether this benchmark started them, and so ends them.
    started: bool,
    places: u32,
    /// Those that were given out and not cleared.
    open: Vec<Place>,
}

/// What one system has to itself.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// A database of its own; without one, SQLite in the system's directory.
    pub(crate) store: Option<String>,
    /// The broker; without one, the embedded log in the system's directory.
    pub(crate) broker: Option<String>,
    /// Before the names of all queues and exchanges, and the name of the database.
    pub(crate) name: String,
}

impl Place {
    /// The queue of the bare pipeline.
    pub(crate) fn bare_queue(&self) -> String {
        format!("{}.bare", self.name)
    }
}

impl Services {
    /// Takes addresses from the options, else from the environment, else those of `make services-up`, else starts the services.
    pub(crate) fn find(options: &Benchmark) -> Result<Self> {
        let mut services = Self { postgres: None, amqp: None, started: false, places: 0, open: Vec::new() };
        let known = Addresses { postgres: variable(POSTGRES), amqp: variable(AMQP) }.or(Addresses::noted());
        let (mut postgres, mut amqp) = match (&options.store, &options.broker) {
            (store, broker) if needs(store, broker, &known) => {
                services.started = true;
                let started = start()?;
                (started.postgres, started.amqp)
            }
            _ => (known.postgres, known.amqp),
        };
        services.postgres = match &options.store {
            Store::Sqlite => None,
            Store::Postgres(given) => given.clone().or_else(|| postgres.take()),
        };
        services.amqp = match &options.broker {
            Broker::Embedded => None,
            Broker::RabbitMq(given) => given.clone().or_else(|| amqp.take()),
        };
        Ok(services)
    }

    /// A fresh database, and a name under which nobody has queues.
    pub(crate) async fn place(&mut self) -> Result<Place> {
        self.places += 1;
        let name = format!("patchbay_load_{}_{}", std::process::id(), self.places);
        // Noted first, so that what is half made is cleared too.
        self.open.push(Place { store: None, broker: self.amqp.clone(), name: name.clone() });
        let store = match &self.postgres {
            Some(server) => Some(database::create(server, &name).await?),
            None => None,
        };
        Ok(Place { store, broker: self.amqp.clone(), name })
    }

    /// Removes what the places hold. Nobody may use them any more.
    pub(crate) async fn clear(&mut self) -> Result<()> {
        for place in std::mem::take(&mut self.open) {
            if let Some(server) = &self.postgres {
                database::drop(server, &place.name).await?;
            }
            if let Some(broker) = &self.amqp {
                queues::delete(broker, &place).await?;
            }
        }
        Ok(())
    }

    /// Clears all places, and ends the services if this benchmark started them.
    pub(crate) async fn end(mut self) -> Result<()> {
        let cleared = self.clear().await;
        if self.started {
            script("down")?;
        }
        cleared
    }
}

/// Whether a server is needed that nobody has named.
const fn needs(store: &Store, broker: &Broker, known: &Addresses) -> bool {
    let no_postgres = matches!(store, Store::Postgres(None)) && known.postgres.is_none();
    let no_amqp = matches!(broker, Broker::RabbitMq(None)) && known.amqp.is_none();
    no_postgres || no_amqp
}

fn start() -> Result<Addresses> {
    eprintln!("starting PostgreSQL and RabbitMQ");
    Ok(Addresses::read(&script("up")?))
}

/// Runs a command of deploy/services.sh and returns what it printed.
fn script(command: &str) -> Result<String> {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "..", "deploy", "services.sh"].iter().collect();
    let output = Command::new(&path)
        .arg(command)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("run {}", path.display()))?;
    ensure!(output.status.success(), "{} {command} failed", path.display());
    String::from_utf8(output.stdout).context("read what the services' script printed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_started_only_for_what_nobody_named() {
        let known = Addresses { postgres: Some("postgres://db/x".to_owned()), amqp: None };
        assert!(!needs(&Store::Sqlite, &Broker::Embedded, &Addresses::default()));
        assert!(!needs(&Store::Postgres(None), &Broker::Embedded, &known));
        assert!(!needs(&Store::Postgres(None), &Broker::RabbitMq(Some("amqp://b".to_owned())), &known));
        assert!(needs(&Store::Postgres(None), &Broker::RabbitMq(None), &known));
    }
}
