//! The executable: everything in one process, and the commands around it.

mod cli;
mod config;
mod database;
mod failure;
mod output;
mod sandbox;
mod signals;
mod up;
mod user;

use std::process::ExitCode;

use clap::Parser;

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
        Command::Sandbox { listen } => sandbox::run(listen),
        Command::User(UserCommand::Create { email, password_stdin, database, json }) => {
            user::create(&email, password_stdin, &database, json)
        }
        Command::User(UserCommand::Token { email, database, json }) => user::token(&email, &database, json),
        Command::Config(ConfigCommand::Reference) => config::print_reference(),
        Command::Config(ConfigCommand::Print { sources }) => config::print_effective(&sources),
    }
}
