//! What the command line says.

mod burst;
mod kinds;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum, value_parser};

pub(crate) use self::burst::Burst;
pub(crate) use self::kinds::{Broker, Store};

/// Where the bare pipeline finds the address of its database and of its broker: an address may hold a password, which a list
/// of processes would show.
pub(crate) const BARE_STORE: &str = "PATCHBAY_LOAD_BARE_STORE";
pub(crate) const BARE_BROKER: &str = "PATCHBAY_LOAD_BARE_BROKER";
/// Processes of the mesh.
const MESH: u64 = 7;

/// The benchmark of Patchbay.
#[derive(Debug, Parser)]
#[command(name = "patchbay-load", args_conflicts_with_subcommands = true)]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) benchmark: Benchmark,
}

/// The other processes of the benchmark, which starts them itself.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The partner that is called.
    #[command(hide = true)]
    Stub,
    /// The bare pipeline.
    #[command(hide = true)]
    Bare(Bare),
}

#[derive(Debug, Args)]
pub(crate) struct Bare {
    /// Where its files are.
    #[arg(long)]
    pub(crate) data_dir: PathBuf,
    /// The partner.
    #[arg(long)]
    pub(crate) stub: SocketAddr,
    /// PostgreSQL; without it SQLite in the data directory.
    #[arg(long, env = BARE_STORE, hide_env_values = true)]
    pub(crate) store: Option<String>,
    /// RabbitMQ; without it the embedded log in the data directory.
    #[arg(long, env = BARE_BROKER, hide_env_values = true)]
    pub(crate) broker: Option<String>,
    /// Its queue on RabbitMQ.
    #[arg(long, default_value = "patchbay-load.bare")]
    pub(crate) queue: String,
}

#[derive(Debug, Args)]
pub(crate) struct Benchmark {
    /// Database: sqlite, postgres, or the address of a PostgreSQL server whose user may make databases
    #[arg(long, value_name = "KIND|URL", default_value = "sqlite")]
    pub(crate) store: Store,
    /// Message broker: embedded, rabbitmq, or the address of a RabbitMQ server
    #[arg(long, value_name = "KIND|URL", default_value = "embedded")]
    pub(crate) broker: Broker,
    /// Orders a second of the open-loop phases [default: 1000 and half of the measured saturation]
    #[arg(long, value_name = "N[,N…]", value_delimiter = ',', value_parser = value_parser!(u64).range(1..=1_000_000))]
    pub(crate) rate: Vec<u64>,
    /// Length of each phase
    #[arg(long, value_name = "SECONDS", default_value_t = 15, value_parser = value_parser!(u64).range(1..=3600))]
    pub(crate) duration: u64,
    /// Interleaved pairs of the bare pipeline and Patchbay; a ratio is given from 5 on
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = value_parser!(u64).range(1..=100))]
    pub(crate) pairs: u64,
    /// Processes of Patchbay: one with all roles, or one for each role on PostgreSQL and RabbitMQ
    #[arg(long, value_name = "1|7", default_value_t = 1, value_parser = processes)]
    pub(crate) processes: u64,
    /// Keep-alive connections of the load generator
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = value_parser!(u64).range(1..=1024))]
    pub(crate) connections: u64,
    /// Calls at a time that the connection's budget allows; 0 lifts the bound
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) concurrency: u32,
    /// Orders that may be accepted and not yet at the partner before the closed loop pauses
    #[arg(long, value_name = "N", default_value_t = 5000, value_parser = value_parser!(u64).range(1..))]
    pub(crate) ahead: u64,
    /// The executable [default: `patchbay` beside this one]
    #[arg(long, value_name = "PATH")]
    pub(crate) patchbay: Option<PathBuf>,
    /// Adds a long saturation phase that samples the memory each minute
    #[arg(long, value_name = "SECONDS", value_parser = value_parser!(u64).range(1..=3600))]
    pub(crate) soak: Option<u64>,
    /// Adds a phase that accepts N orders of one workspace while the executor is stopped, then starts it; with 7 processes
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..=10_000_000))]
    pub(crate) backlog: Option<u64>,
    /// Adds an open-loop phase of X orders a second (or of X times saturation, as 5x) for some seconds, and the drain after it
    #[arg(long, value_name = "X:SECONDS")]
    pub(crate) burst: Option<Burst>,
    /// Measures only one side; writes no file
    #[arg(long, value_enum)]
    pub(crate) only: Option<Only>,
    /// Prints the JSON instead of the table
    #[arg(long)]
    pub(crate) json: bool,
}

/// One side of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Only {
    Bare,
    Patchbay,
}

impl Options {
    /// Reads the command line, and ends the process with what is wrong about it.
    pub(crate) fn read() -> Self {
        let options = Self::parse();
        if let Err(error) = options.benchmark.check() {
            error.exit();
        }
        options
    }
}

impl Benchmark {
    /// What single options can't say.
    fn check(&self) -> Result<(), clap::Error> {
        let wrong = |words: &str| Err(Options::command().error(ErrorKind::ArgumentConflict, words));
        let is_shared = !matches!(self.store, Store::Sqlite) && !matches!(self.broker, Broker::Embedded);
        if self.processes == MESH && !is_shared {
            return wrong(
                "--processes 7 needs --store postgres and --broker rabbitmq: the others belong to one process",
            );
        }
        if self.backlog.is_some() && self.processes != MESH {
            return wrong("--backlog needs --processes 7: the executor of a single process can't be stopped alone");
        }
        if self.backlog.is_some() && self.only == Some(Only::Bare) {
            return wrong("--backlog is not for the bare pipeline");
        }
        Ok(())
    }

    /// Whether each role is a process of its own.
    pub(crate) const fn is_mesh(&self) -> bool {
        self.processes == MESH
    }
}

fn processes(text: &str) -> Result<u64, String> {
    match text {
        "1" => Ok(1),
        "7" => Ok(MESH),
        _ => Err("expected 1 or 7".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Options, clap::Error> {
        Options::try_parse_from(std::iter::once("patchbay-load").chain(arguments.iter().copied()))
    }

    #[test]
    fn reads_rates_as_a_list() {
        assert_eq!(parse(&["--rate", "1000,2500"]).unwrap().benchmark.rate, [1000, 2500]);
    }

    #[test]
    fn takes_kinds_and_addresses() {
        let options = parse(&["--store", "postgres://me@db/x", "--broker", "rabbitmq", "--processes", "7"]).unwrap();
        let benchmark = options.benchmark;
        assert_eq!(benchmark.store, Store::Postgres(Some("postgres://me@db/x".to_owned())));
        assert_eq!(benchmark.broker, Broker::RabbitMq(None));
        assert!(benchmark.is_mesh() && benchmark.check().is_ok());
    }

    #[test]
    fn refuses_what_it_does_not_measure_with_exit_code_2() {
        for wrong in
            [["--store", "mysql"], ["--broker", "kafka"], ["--processes", "2"], ["--pairs", "0"], ["--burst", "5"]]
        {
            assert_eq!(parse(&wrong).unwrap_err().exit_code(), 2, "{wrong:?}");
        }
    }

    #[test]
    fn refuses_a_mesh_on_what_belongs_to_one_process_and_a_backlog_without_a_mesh() {
        let shared = ["--store", "postgres", "--broker", "rabbitmq"];
        for wrong in [
            ["--processes", "7"].to_vec(),
            ["--processes", "7", "--store", "postgres"].to_vec(),
            [&shared[..], &["--backlog", "10"]].concat(),
            [&shared[..], &["--processes", "7", "--backlog", "10", "--only", "bare"]].concat(),
        ] {
            assert_eq!(parse(&wrong).unwrap().benchmark.check().unwrap_err().exit_code(), 2, "{wrong:?}");
        }
    }
}
