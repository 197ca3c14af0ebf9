//! The command `up`: every role in this process.

pub(crate) mod demo;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use patchbay_service::Role;
use patchbay_store::Schema;

use crate::{
    cli::Up,
    config::Config,
    failure::Failure,
    process::{self, Plan},
};

pub(crate) use demo::Demo;

const SANDBOX: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8090);

/// Runs until a signal, or until a part fails.
pub(crate) fn run(options: Up) -> Result<(), Failure> {
    let config = Config::load(&options.sources)?;
    config.check_files()?;
    check(&options)?;
    process::run(Plan {
        roles: Role::ALL.into(),
        format: options.log_format.unwrap_or(config.log.format),
        config: config.into(),
        listen: options.listen,
        schema: Schema::Migrate,
        sandbox: options.demo.then(|| sandbox(&options)),
        home: Some(options.sources.data_dir),
        mesh: None,
    })
}

/// A demo has a password that everybody knows, so only this machine may reach it.
fn check(options: &Up) -> Result<(), Failure> {
    if !options.demo {
        return Ok(());
    }
    let all = [
        ("--listen", options.listen.public),
        ("--grpc-listen", options.listen.grpc),
        ("--admin-listen", options.listen.admin),
        ("--sandbox-listen", sandbox(options)),
    ];
    match all.into_iter().find(|(_, address)| !address.ip().is_loopback()) {
        None => Ok(()),
        Some((flag, address)) => Err(Failure::usage(format!(
            "--demo listens on loopback only, but {flag} is {address}\n\
             hint: its password is known to everybody; leave --demo out, or choose an address such as 127.0.0.1:{}",
            address.port()
        ))),
    }
}

fn sandbox(options: &Up) -> SocketAddr {
    options.sandbox_listen.unwrap_or(SANDBOX)
}
