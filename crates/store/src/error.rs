//! What a database's errors mean.

use std::io;

use patchbay_types::fault::{Code, Fault};
use sqlx::error::ErrorKind;

/// Why the database did not do it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address names no engine that we know.
    #[error("store.url is not an address of a database; expected sqlite://PATH or postgres://USER@HOST/NAME")]
    Address,
    /// No room on disk.
    #[error("database has no room on its disk")]
    Full(#[source] sqlx::Error),
    /// A unique key is taken.
    #[error("key is taken")]
    Taken(#[source] sqlx::Error),
    /// One value can't be stored, whatever is tried.
    #[error("value can't be stored")]
    Data(#[source] sqlx::Error),
    /// It can't be reached, or is too busy: later it may work.
    #[error("database can't be reached or is too busy")]
    Unavailable(#[source] sqlx::Error),
    /// It refuses this user, address or certificate: waiting does not help, a person must change something.
    #[error("database refuses access: {reason}\nhint: {hint}")]
    Refused {
        /// What it says.
        reason: String,
        /// What to do.
        hint: &'static str,
        /// The whole of it.
        #[source]
        source: sqlx::Error,
    },
    /// A sync failed: what the disk holds is not known any more.
    #[error("database could not be synced to its disk")]
    Sync(#[source] sqlx::Error),
    /// A migration that is applied was changed since, or is unknown to this version.
    #[error("database schema of {service} does not fit this version: {reason}")]
    Schema {
        /// Whose tables.
        service: &'static str,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// Stored bytes can't be read back.
    #[error("stored row can't be read: {0}")]
    Damaged(String),
    /// Anything else: a defect of ours.
    #[error("database refused")]
    Other(#[source] sqlx::Error),
}

/// SQLite's result codes for a disk without room: `SQLITE_FULL`, and writes or growth that failed
/// (<https://www.sqlite.org/rescode.html>: `IOERR_WRITE`, `IOERR_SHMSIZE`, `IOERR_SHMOPEN`).
const SQLITE_FULL: [&str; 4] = ["13", "778", "4874", "4618"];
/// `IOERR_FSYNC`, `IOERR_DIR_FSYNC`.
const SQLITE_SYNC: [&str; 2] = ["1034", "1290"];
/// `SQLITE_BUSY`, `SQLITE_LOCKED`, `BUSY_RECOVERY`, `BUSY_SNAPSHOT`, `BUSY_TIMEOUT`.
const SQLITE_BUSY: [&str; 5] = ["5", "6", "261", "517", "773"];
/// `SQLITE_TOOBIG`, `SQLITE_MISMATCH`.
const SQLITE_DATA: [&str; 2] = ["18", "20"];

/// `read_only_sql_transaction`: it is a standby, until it is promoted or another takes its name;
/// `idle_in_transaction_session_timeout`, `transaction_timeout`.
const POSTGRES_PASSING: [&str; 3] = ["25006", "25P03", "25P04"];

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let sqlx::Error::Database(database) = &error else {
            return match error {
                sqlx::Error::Io(ref cause) if cause.kind() == io::ErrorKind::InvalidData => {
                    Self::Refused { reason: format!("no TLS with it: {cause}"), hint: TLS_HINT, source: error }
                }
                sqlx::Error::Io(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed => Self::Unavailable(error),
                sqlx::Error::Encode(_) => Self::Data(error),
                sqlx::Error::Tls(ref cause) => {
                    Self::Refused { reason: format!("no TLS with it: {cause}"), hint: TLS_HINT, source: error }
                }
                sqlx::Error::Configuration(ref cause) => Self::Refused {
                    reason: format!("its address can't be used: {cause}"),
                    hint: "see `store.url`",
                    source: error,
                },
                sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } => Self::Damaged(error.to_string()),
                other => Self::Other(other),
            };
        };
        let code = database.code().unwrap_or_default().into_owned();
        if matches!(database.kind(), ErrorKind::UniqueViolation) {
            return Self::Taken(error);
        }
        if SQLITE_FULL.contains(&code.as_str()) || matches!(code.as_str(), "53100" | "53200") {
            return Self::Full(error);
        }
        if SQLITE_SYNC.contains(&code.as_str()) {
            return Self::Sync(error);
        }
        if SQLITE_BUSY.contains(&code.as_str()) || is_postgres_passing(&code) {
            return Self::Unavailable(error);
        }
        if let Some(hint) = refusal(&code) {
            return Self::Refused { reason: database.message().to_owned(), hint, source: error };
        }
        if SQLITE_DATA.contains(&code.as_str()) || is_postgres_data(&code) {
            return Self::Data(error);
        }
        Self::Other(error)
    }
}

const TLS_HINT: &str = "see `sslmode` and `sslrootcert` in `store.url`";

/// Data exceptions, and values that are larger than an index or a row takes.
fn is_postgres_data(code: &str) -> bool {
    code.len() == 5 && matches!(&code[..2], "22" | "54")
}

/// What to do about an SQLSTATE by which PostgreSQL lets nobody in.
fn refusal(code: &str) -> Option<&'static str> {
    match code {
        "28P01" | "28000" => Some("see the user and the password in `store.url`, and the server's pg_hba.conf"),
        "3D000" => Some("make the database with `createdb`, then run `patchbay migrate`; or see `store.url`"),
        "42501" => Some("give the user of `store.url` rights on the database and its tables"),
        _ => None,
    }
}

/// Classes of SQLSTATE that pass by themselves: connection, rollback, resources, operator intervention
/// (<https://www.postgresql.org/docs/15/errcodes-appendix.html>).
pub(crate) fn is_postgres_passing(code: &str) -> bool {
    POSTGRES_PASSING.contains(&code) || (code.len() == 5 && matches!(&code[..2], "08" | "40" | "53" | "57" | "55"))
}

impl Error {
    /// What a caller is told. The rest is for the log.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Full(_) => Fault::new(Code::StorageFull, "no room on disk; free some, then try again"),
            Self::Taken(_) => Fault::new(Code::Conflict, "it exists already"),
            Self::Data(_) => Fault::new(Code::InvalidArgument, "a value can't be stored"),
            Self::Unavailable(_) => Fault::new(Code::Unavailable, "the database is busy or down; try again"),
            Self::Address
            | Self::Refused { .. }
            | Self::Sync(_)
            | Self::Schema { .. }
            | Self::Damaged(_)
            | Self::Other(_) => Fault::new(Code::Internal, "the database refused; the log says why"),
        }
    }

    /// The error with all its causes, for a log line.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}
