//! What can be asked for on the command line.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use clap::{Args, Parser, Subcommand};

use patchbay_types::{AutomationId, ConnectionId, RunId, WorkspaceId};

use crate::config::LogFormat;

/// Connects apps: a webhook becomes a durable event, the event starts runs, their steps call partners.
#[derive(Parser)]
#[command(name = "patchbay", version, max_term_width = 120)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Starts everything in this process, over a data directory.
    Up(Up),
    /// Starts some roles in this process, over a PostgreSQL and a broker that processes share.
    Serve(Serve),
    /// Brings the tables of all services up to date, before `patchbay serve`.
    Migrate(Migrate),
    /// Starts the stand-in for partners, which keeps all in memory.
    Sandbox {
        /// Where it listens; port 0 is a free one.
        #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8090")]
        listen: SocketAddr,
    },
    /// Makes users and their tokens, before or beside `patchbay up`.
    #[command(subcommand)]
    User(UserCommand),
    /// Shows runs, and lets them go on or ends them, beside `patchbay up`.
    #[command(subcommand)]
    Runs(RunsCommand),
    /// Shows what needs a person, brings it in again or drops it, beside `patchbay up`.
    #[command(subcommand, name = "deadletters", visible_alias = "dead-letters")]
    DeadLetters(DeadLettersCommand),
    /// Checks connectors and replays their recorded exchanges, without a network.
    #[command(subcommand)]
    Connector(ConnectorCommand),
    /// Publishes events to an instance, and shows what comes in there.
    #[command(subcommand)]
    Events(EventsCommand),
    /// Shows the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Prints the completions of a shell, such as `patchbay completions bash > /etc/bash_completion.d/patchbay`.
    Completions {
        /// For which shell.
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
}

/// Where the configuration comes from.
#[derive(Args)]
pub(crate) struct Sources {
    /// Where the database, the broker's files and the keys are.
    #[arg(long, value_name = "DIR", default_value = "./patchbay-data")]
    pub(crate) data_dir: PathBuf,
    /// A TOML file with what differs from `patchbay config reference`.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Sources {
    pub(crate) fn file(&self) -> Option<&Path> {
        self.config.as_deref()
    }
}

/// Where a process listens.
#[derive(Args, Clone, Copy)]
pub(crate) struct Listen {
    /// Where the public HTTP API and the hooks are; port 0 is a free one.
    #[arg(long = "listen", value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub(crate) public: SocketAddr,
    /// Where gRPC is: the health service, reflection, and for `serve` what roles ask each other.
    #[arg(long = "grpc-listen", value_name = "ADDR", default_value = "127.0.0.1:8081")]
    pub(crate) grpc: SocketAddr,
    /// Where /healthz, /readyz and /metrics are.
    #[arg(long = "admin-listen", value_name = "ADDR", default_value = "127.0.0.1:8082")]
    pub(crate) admin: SocketAddr,
}

#[derive(Args)]
pub(crate) struct Up {
    #[command(flatten)]
    pub(crate) sources: Sources,
    #[command(flatten)]
    pub(crate) listen: Listen,
    /// Where the partner sandbox of the demo is [default: 127.0.0.1:8090].
    #[arg(long, value_name = "ADDR", requires = "demo")]
    pub(crate) sandbox_listen: Option<SocketAddr>,
    /// Serves the partner sandbox too, and makes a user, a connection and an automation to try. Loopback only.
    #[arg(long)]
    pub(crate) demo: bool,
    /// How log lines and the line `ready` look; wins over `log.format`.
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub(crate) log_format: Option<LogFormat>,
}

#[derive(Args)]
pub(crate) struct Serve {
    /// Which: connection, automation, catalog, action-executor, webhook-ingress, trigger-poller, gateway.
    #[arg(long, value_name = "ROLE", required = true, value_delimiter = ',')]
    pub(crate) roles: Vec<String>,
    #[command(flatten)]
    pub(crate) listen: Listen,
    /// A TOML file with what differs from `patchbay config reference`.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// How log lines and the line `ready` look; wins over `log.format`.
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub(crate) log_format: Option<LogFormat>,
}

#[derive(Args)]
pub(crate) struct Migrate {
    #[command(flatten)]
    pub(crate) sources: Sources,
    /// Changes nothing, and fails when something is missing.
    #[arg(long)]
    pub(crate) check: bool,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum UserCommand {
    /// Makes a user with a workspace of their own. Without --password-stdin a password is made and shown once.
    Create {
        /// By which the user logs in.
        #[arg(long, value_parser = email)]
        email: String,
        /// Reads the password, of 8 characters at least, from the first line of standard input.
        #[arg(long)]
        password_stdin: bool,
        #[command(flatten)]
        database: Sources,
        /// Prints one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Makes a token for programs, valid for a year, and shows it once.
    Token {
        /// Whose token.
        #[arg(long, value_parser = email)]
        email: String,
        #[command(flatten)]
        database: Sources,
        /// Prints one JSON object.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Subcommand)]
pub(crate) enum ConnectorCommand {
    /// Says what is wrong with manifests and their recorded exchanges, and warns about what is missing.
    Lint {
        /// A connector.yaml, its folder, or a file of its folder `tests`.
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
        /// Prints one JSON object.
        #[arg(long)]
        json: bool,
        /// Takes warnings for errors.
        #[arg(long)]
        strict: bool,
    },
    /// Replays recorded exchanges: what is asked of the partner, and what becomes of its answers.
    Test {
        /// A connector.yaml, its folder, or a file of its folder `tests`.
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
        /// Prints one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Prints the JSON Schema of the manifest.
    Schema,
}

#[derive(Subcommand)]
pub(crate) enum ConfigCommand {
    /// Prints every key with its default and what it means.
    Reference {
        /// Prints one JSON object: the defaults alone.
        #[arg(long)]
        json: bool,
    },
    /// Prints the configuration as it would be used, secrets masked.
    Print {
        #[command(flatten)]
        sources: Sources,
        /// Prints one JSON object.
        #[arg(long)]
        json: bool,
    },
}

/// Which workspaces a command looks at, and how it answers.
#[derive(Args)]
pub(crate) struct Desk {
    /// Only this workspace; without it, all of them.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) workspace: Option<WorkspaceId>,
    #[command(flatten)]
    pub(crate) database: Sources,
    /// Prints one JSON object, as the API answers it.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum RunsCommand {
    /// Lists runs, newest first.
    List {
        #[command(flatten)]
        filter: RunFilter,
        #[command(flatten)]
        desk: Desk,
    },
    /// Shows one run with its steps: what went in, what came out.
    Show {
        /// Which; without it, the newest.
        run: Option<RunId>,
        #[command(flatten)]
        desk: Desk,
    },
    /// Lets failed, cancelled or doubtful runs go on at the step where they stopped.
    Replay {
        #[arg(required = true)]
        run: Vec<RunId>,
        #[command(flatten)]
        desk: Desk,
    },
    /// Ends runs that wait or whose outcome is unknown.
    Cancel {
        #[arg(required = true)]
        run: Vec<RunId>,
        #[command(flatten)]
        desk: Desk,
    },
}

#[derive(Args, Default)]
pub(crate) struct RunFilter {
    /// Only runs of this automation.
    #[arg(long, value_name = "ID")]
    pub(crate) automation: Option<AutomationId>,
    /// Only runs with this status.
    #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(patchbay_gateway::view::STATUSES))]
    pub(crate) status: Option<String>,
    /// Only runs that use this connection.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) connection: Option<ConnectionId>,
    /// Only runs of this event.
    #[arg(long, value_name = "ID")]
    pub(crate) event: Option<String>,
    /// How many at the most.
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=1000))]
    pub(crate) limit: i64,
}

#[derive(Subcommand)]
pub(crate) enum DeadLettersCommand {
    /// Lists dead letters, newest first; those of workspace 0 belong to nobody.
    List {
        /// How many at the most.
        #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=1000))]
        limit: i64,
        #[command(flatten)]
        desk: Desk,
    },
    /// Shows one dead letter with the message that it is about.
    Show {
        id: i64,
        #[command(flatten)]
        desk: Desk,
    },
    /// Repeats the runs, or brings the events in again.
    Replay {
        #[arg(required = true)]
        id: Vec<i64>,
        #[command(flatten)]
        desk: Desk,
    },
    /// Forgets dead letters. Runs stay in the history as they ended.
    Drop {
        #[arg(required = true)]
        id: Vec<i64>,
        #[command(flatten)]
        desk: Desk,
    },
}

/// An instance, and who asks.
#[derive(Args)]
pub(crate) struct Instance {
    /// Where its public HTTP API is.
    #[arg(long, value_name = "URL", env = "PATCHBAY_URL", default_value = "http://127.0.0.1:8080")]
    pub(crate) url: String,
    /// A token, as `patchbay user token` makes it.
    #[arg(long, value_name = "TOKEN", env = "PATCHBAY_TOKEN", hide_env_values = true)]
    pub(crate) token: String,
    /// Prints JSON: one object, or one a line.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum EventsCommand {
    /// Publishes what standard input holds: one CloudEvent, a list of them, or with --type the data of a new one.
    Publish {
        /// The type of the event that standard input is the data of, such as com.acme.customer.created.
        #[arg(long = "type", value_name = "TYPE")]
        kind: Option<String>,
        /// Who produces it.
        #[arg(long, value_name = "SOURCE", default_value = "patchbay-cli", requires = "kind")]
        source: String,
        /// What it is about.
        #[arg(long, value_name = "SUBJECT", requires = "kind")]
        subject: Option<String>,
        /// Its id, unique in the source: the same id again is the same event. A new one when left out.
        #[arg(long, value_name = "ID", requires = "kind")]
        id: Option<String>,
        #[command(flatten)]
        instance: Instance,
    },
    /// Shows every event of the workspace that is accepted from now on, until Ctrl-C.
    Tail {
        #[command(flatten)]
        instance: Instance,
    },
}

/// Looks for what every email has; the rest is for the service to say.
fn email(text: &str) -> Result<String, String> {
    match text.split_once('@') {
        Some((name, host)) if !name.is_empty() && !host.is_empty() && !host.contains('@') => Ok(text.to_owned()),
        _ => Err("an email looks like name@example.com".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn refuses_what_is_no_email() {
        for text in ["", "ann", "@shop.test", "ann@", "a@b@c"] {
            assert!(email(text).is_err(), "{text}");
        }
    }
}
