//! The configuration: `config.default.toml` is the reference, a file and the environment lie over it.

mod broker;
mod mesh;
mod retention;
mod show;
mod store;
#[cfg(test)]
mod tests;
mod values;

use std::{path::Path, time::Duration};

use anyhow::Context;
use clap::ValueEnum;
use patchbay_egress::AllowRule;
use patchbay_runtime::{
    config::{duration, environment, load},
    telemetry,
};
use patchbay_vault::{KeyRing, MasterKey};
use serde::Deserialize;

use crate::{cli::Sources, failure::Failure};

pub(crate) use broker::{Broker, Queue};
pub(crate) use mesh::{Peers, ServiceAuth};
pub(crate) use show::{print_effective, print_reference};
pub(crate) use store::Store;

/// Every key with its default and what it means.
const REFERENCE: &str = include_str!("../config.default.toml");
/// Stands for the data directory in addresses.
const DATA_DIRECTORY: &str = "<data-dir>";

/// The whole configuration of a process.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    public_url: String,
    pub(crate) store: Store,
    pub(crate) broker: Broker,
    pub(crate) storage: Storage,
    pub(crate) vault: Vault,
    pub(crate) egress: Egress,
    pub(crate) retention: patchbay_action_executor::config::Retention,
    pub(crate) ingress: patchbay_webhook_ingress::Config,
    pub(crate) connection: patchbay_connection::Config,
    pub(crate) catalog: patchbay_catalog::Config,
    pub(crate) poller: patchbay_trigger_poller::Config,
    executor: patchbay_action_executor::config::Config,
    gateway: Gateway,
    pub(crate) service_auth: ServiceAuth,
    pub(crate) peers: Peers,
    pub(crate) calls: patchbay_service::peer::Options,
    pub(crate) log: Log,
    pub(crate) shutdown: Shutdown,
    pub(crate) runtime: Runtime,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Storage {
    pub(crate) reserve_bytes: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Vault {
    /// Empty: those of the data directory.
    #[serde(deserialize_with = "values::master_keys")]
    pub(crate) master_keys: Vec<MasterKey>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Egress {
    #[serde(deserialize_with = "values::allow_rules")]
    allow_private: Vec<AllowRule>,
    #[serde(deserialize_with = "duration::deserialize")]
    connect_timeout: Duration,
    max_response_bytes: usize,
    max_request_bytes: usize,
    #[serde(deserialize_with = "duration::deserialize")]
    idle_timeout: Duration,
    max_idle_per_host: usize,
}

impl Egress {
    pub(crate) fn options(&self) -> patchbay_egress::Options {
        patchbay_egress::Options {
            allow_private: self.allow_private.clone(),
            connect_timeout: self.connect_timeout,
            max_response_bytes: self.max_response_bytes,
            max_request_bytes: self.max_request_bytes,
            idle_timeout: self.idle_timeout,
            max_idle_per_host: self.max_idle_per_host,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Gateway {
    token_days: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Log {
    pub(crate) filter: String,
    pub(crate) format: LogFormat,
}

/// How log lines and the line `ready` look.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl From<LogFormat> for telemetry::LogFormat {
    fn from(format: LogFormat) -> Self {
        match format {
            LogFormat::Text => Self::Text,
            LogFormat::Json => Self::Json,
        }
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shutdown {
    #[serde(deserialize_with = "duration::deserialize")]
    pub(crate) linger: Duration,
    #[serde(deserialize_with = "duration::deserialize")]
    pub(crate) drain: Duration,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Runtime {
    /// 0 is one a core.
    pub(crate) worker_threads: usize,
}

impl Config {
    /// Reads and checks everything. Nothing is bound or written.
    pub(crate) fn load(sources: &Sources) -> Result<Self, Failure> {
        let mut config: Self =
            load(REFERENCE, sources.file(), &environment()).map_err(|error| Failure::Usage(error.into()))?;
        let directory = directory_name(sources)?;
        config.store.url = config.store.url.replace(DATA_DIRECTORY, directory);
        config.broker.url = config.broker.url.replace(DATA_DIRECTORY, directory);
        config.check()?;
        Ok(config)
    }

    /// Reads and checks everything, for a process without a data directory.
    pub(crate) fn load_for_mesh(file: Option<&Path>) -> Result<Self, Failure> {
        let config: Self = load(REFERENCE, file, &environment()).map_err(|error| Failure::Usage(error.into()))?;
        config.check_mesh()?;
        config.check()?;
        config.check_files()?;
        Ok(config)
    }

    /// Reads the files that a process with roles will need.
    pub(crate) fn check_files(&self) -> Result<(), Failure> {
        self.broker.queue().map(drop).map_err(Failure::Usage)
    }

    /// What the gateway is told.
    pub(crate) fn gateway(&self) -> patchbay_gateway::Config {
        let public_url = Some(self.public_url.clone()).filter(|url| !url.is_empty());
        patchbay_gateway::Config { public_url, token_days: self.gateway.token_days }
    }

    fn check(&self) -> Result<(), Failure> {
        self.store.check()?;
        self.broker.check()?;
        retention::check(&self.retention, self.store.is_file())?;
        if self.runtime.worker_threads > MOST_THREADS {
            return Err(Failure::usage(format!("runtime.worker_threads must be at most {MOST_THREADS}")));
        }
        self.check_parts().map_err(Failure::Usage)
    }

    /// Several processes share a database and a broker: files of one of them are of no use.
    fn check_mesh(&self) -> Result<(), Failure> {
        if self.store.is_file() {
            return Err(Failure::usage(
                "`serve` shares its database with other processes, but store.url is an address of a file\n\
                 hint: set store.url to postgres://USER@HOST/NAME; `patchbay up` runs everything over a file",
            ));
        }
        if self.broker.is_embedded() {
            return Err(Failure::usage(
                "`serve` shares its broker with other processes, but broker.url is an address of a directory\n\
                 hint: set broker.url to amqp://USER:PASSWORD@HOST/VHOST; `patchbay up` runs everything over a directory",
            ));
        }
        Ok(())
    }

    /// What the parts themselves say about their values.
    fn check_parts(&self) -> anyhow::Result<()> {
        self.gateway().check()?;
        self.ingress.check()?;
        self.poller.check()?;
        patchbay_action_executor::role::check(&self.executor)?;
        patchbay_egress::Egress::new(self.egress.options())?;
        match self.vault.master_keys.as_slice() {
            [] => Ok(()),
            keys => KeyRing::new(keys.to_vec()).map(drop).context("vault.master_keys can't be used"),
        }
    }

    /// What the executor is told. It ends before the time of the process is up.
    pub(crate) fn executor(&self) -> patchbay_action_executor::config::Config {
        let mut executor = self.executor.clone();
        executor.drain = executor.drain.min(self.shutdown.drain / 4 * 3);
        executor
    }
}

const MOST_THREADS: usize = 1024;

fn directory_name(sources: &Sources) -> Result<&str, Failure> {
    let name = sources.data_dir.to_str().ok_or_else(|| Failure::usage("--data-dir is not UTF-8"))?;
    if name.is_empty() { Err(Failure::usage("--data-dir is empty")) } else { Ok(name) }
}
