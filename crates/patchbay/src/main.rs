//! The executable: everything in one process, and the commands around it.

mod cli;
mod config;
mod connector;
mod database;
mod dead_letters;
mod desk;
mod events;
mod failure;
mod migrate;
mod output;
mod process;
mod runs;
mod sandbox;
mod serve;
mod signals;
mod up;
mod user;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::{
    cli::{Cli, Command, ConfigCommand, UserCommand},
    failure::Failure,
};

/// Many small, short-lived values are the whole of the work: see `docs/performance.md`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(refusal) => return failure::refused(&refusal),
    };
    match run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Up(options) => up::run(options),
        Command::Serve(options) => serve::run(options),
        Command::Migrate(options) => migrate::run(&options),
        Command::Sandbox { listen } => sandbox::run(listen),
        Command::User(UserCommand::Create { email, password_stdin, database, json }) => {
            user::create(&email, password_stdin, &database, json)
        }
        Command::User(UserCommand::Token { email, database, json }) => user::token(&email, &database, json),
        Command::Runs(command) => runs::run(command),
        Command::DeadLetters(command) => dead_letters::run(command),
        Command::Connector(command) => connector::run(command),
        Command::Events(command) => events::run(command),
        Command::Config(ConfigCommand::Reference { json }) => config::print_reference(json),
        Command::Config(ConfigCommand::Print { sources, json }) => config::print_effective(&sources, json),
        Command::Completions { shell } => completions(shell),
    }
}

fn completions(shell: clap_complete::Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "patchbay", &mut script);
    output::print(&String::from_utf8_lossy(&script))
}
