//! The benchmark: orders come in by webhook, Patchbay maps them and calls a partner; how many a second, how soon, at what cost.
//!
//! Every figure stands beside that of a bare pipeline, which performs the same durable steps and nothing else. Both run in
//! interleaved pairs on fresh data, because a figure of one moment on a shared machine says little. The load generator (this
//! process), the partner stub, the bare pipeline and Patchbay are processes of their own on one machine and one monotonic clock.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the figures go to standard output, the progress to standard error"
)]

mod backlog;
mod bare;
mod benchmark;
mod burst;
mod clock;
mod fleet;
mod generator;
mod http_client;
mod latency;
mod options;
mod order;
mod patchbay;
mod phase;
mod process;
mod report;
mod services;
mod stub;
mod stub_client;
mod subject;

use std::process::ExitCode;

use crate::options::{Command, Options};

fn main() -> ExitCode {
    let options = Options::read();
    let outcome = match &options.command {
        Some(Command::Stub) => stub::run(),
        Some(Command::Bare(bare)) => bare::run(bare),
        None => benchmark::run(&options.benchmark),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
