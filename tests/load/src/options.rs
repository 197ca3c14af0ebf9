//! What the command line says.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, value_parser};

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
}

#[derive(Debug, Args)]
pub(crate) struct Benchmark {
    /// Database of Patchbay
    #[arg(long, value_enum, default_value_t = Store::Sqlite)]
    pub(crate) store: Store,
    /// Message broker of Patchbay
    #[arg(long, value_enum, default_value_t = Broker::Embedded)]
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
    /// Processes of Patchbay
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = value_parser!(u64).range(1..=1))]
    pub(crate) processes: u64,
    /// Keep-alive connections of the load generator
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = value_parser!(u64).range(1..=1024))]
    pub(crate) connections: u64,
    /// Calls at a time that the connection's budget allows; 0 lifts the bound
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) concurrency: u32,
    /// Orders that may be accepted and not yet at the partner before the closed loop pauses
    #[arg(long, value_name = "N", default_value_t = 5000, value_parser = value_parser!(u64).range(1..))]
    pub(crate) backlog: u64,
    /// The executable [default: `patchbay` beside this one]
    #[arg(long, value_name = "PATH")]
    pub(crate) patchbay: Option<PathBuf>,
    /// Adds a long saturation phase that samples the memory each minute
    #[arg(long, value_name = "SECONDS", value_parser = value_parser!(u64).range(1..=3600))]
    pub(crate) soak: Option<u64>,
    /// Measures only one side; writes no file
    #[arg(long, value_enum)]
    pub(crate) only: Option<Only>,
    /// Prints the JSON instead of the table
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Store {
    Sqlite,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Broker {
    Embedded,
}

/// One side of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Only {
    Bare,
    Patchbay,
}

impl Store {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
        }
    }
}

impl Broker {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
        }
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
    fn refuses_what_it_does_not_measure_with_exit_code_2() {
        for wrong in [["--store", "postgres"], ["--broker", "kafka"], ["--processes", "7"], ["--pairs", "0"]] {
            assert_eq!(parse(&wrong).unwrap_err().exit_code(), 2, "{wrong:?}");
        }
    }
}
