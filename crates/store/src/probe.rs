//! Whether a PostgreSQL can be used now, and why not, in words for an operator.

use std::{fmt, io, str::FromStr, time::Duration};

use sqlx::{ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};

use crate::{Error, error::is_postgres_passing};

/// A standby answers questions and takes no writes.
const QUESTION: &str = "SELECT current_setting('transaction_read_only')";

/// Why a database can't be used. The words never hold a password; a line of them may begin with `hint: `.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// It may pass by itself.
    Passing(String),
    /// A person must change something.
    Definite(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passing(words) | Self::Definite(words) => formatter.write_str(words),
        }
    }
}

/// One connection beside the pool, so that a busy pool is not taken for a lost database.
#[derive(Debug)]
pub struct Probe {
    options: PgConnectOptions,
    patience: Duration,
    connection: Option<PgConnection>,
}

impl Probe {
    /// Nothing is connected yet. A look takes at most `patience`.
    ///
    /// # Errors
    /// When the address is not one of a PostgreSQL.
    pub fn new(url: &str, patience: Duration) -> Result<Self, Error> {
        let options = PgConnectOptions::from_str(url).map_err(|_| Error::Address)?;
        Ok(Self { options: options.application_name("patchbay probe"), patience, connection: None })
    }

    /// Whether it can be reached and takes writes.
    ///
    /// # Errors
    /// Why not.
    pub async fn look(&mut self) -> Result<(), Trouble> {
        // A connection is taken out for the question, so that none is used again whose question was not answered.
        let connection = self.connection.take();
        let looked = tokio::time::timeout(self.patience, ask(&self.options, connection)).await;
        let (connection, read_only) = match looked {
            Ok(answered) => answered.map_err(|error| self.trouble(error))?,
            Err(_) => return Err(Trouble::Passing(format!("{} does not answer", self.place()))),
        };
        self.connection = Some(connection);
        match read_only {
            false => Ok(()),
            true => Err(Trouble::Passing(format!("{} takes no writes: it is a standby", self.place()))),
        }
    }

    fn trouble(&self, error: sqlx::Error) -> Trouble {
        let hint = "hint: see `store.url`";
        match error {
            // What TLS refuses, such as a certificate.
            sqlx::Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
                Trouble::Definite(format!("no TLS with {}: {error}\n{hint}", self.place()))
            }
            sqlx::Error::Io(error) => Trouble::Passing(self.unreachable(&error)),
            sqlx::Error::Database(error) => {
                let code = error.code().unwrap_or_default().into_owned();
                let message = error.message();
                match code.as_str() {
                    "3D000" => Trouble::Definite(format!(
                        "{message}\nhint: make it with `createdb`, then run `patchbay migrate`; or see `store.url`"
                    )),
                    code if is_postgres_passing(code) || code.starts_with("58") => {
                        Trouble::Passing(format!("{} refuses connections now: {message}", self.place()))
                    }
                    _ => Trouble::Definite(format!("{} refuses: {message}\n{hint}", self.place())),
                }
            }
            sqlx::Error::Tls(error) => Trouble::Definite(format!("no TLS with {}: {error}\n{hint}", self.place())),
            sqlx::Error::Configuration(error) => Trouble::Definite(format!("address can't be used: {error}\n{hint}")),
            sqlx::Error::Protocol(error) => {
                Trouble::Definite(format!("{} does not speak as PostgreSQL does: {error}\n{hint}", self.place()))
            }
            other => Trouble::Passing(format!("{} fails: {other}", self.place())),
        }
    }

    fn unreachable(&self, error: &io::Error) -> String {
        let text = error.to_string();
        // The number says nothing that the words do not.
        let reason = text.split(" (os error").next().unwrap_or_default().to_lowercase();
        format!("can't be reached at {}: {reason}", self.place())
    }

    fn place(&self) -> String {
        match self.options.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => format!("{}:{}", self.options.get_host(), self.options.get_port()),
        }
    }
}

async fn ask(
    options: &PgConnectOptions,
    connection: Option<PgConnection>,
) -> Result<(PgConnection, bool), sqlx::Error> {
    let mut connection = match connection {
        Some(connection) => connection,
        None => options.connect().await?,
    };
    let answer: Result<String, sqlx::Error> = sqlx::query_scalar(QUESTION).fetch_one(&mut connection).await;
    match answer {
        Ok(read_only) => Ok((connection, read_only == "on")),
        Err(error) => {
            // Nothing is told to a server that does not answer.
            let _ = connection.close_hard().await;
            Err(error)
        }
    }
}
