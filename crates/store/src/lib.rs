//! The two database engines behind one type: pools, transactions, migrations, and what their errors mean.

mod engine;
mod error;
mod migration;
pub mod payload;
mod postgres;
mod probe;
mod rows;
#[cfg(feature = "testing")]
pub mod schema;
mod sql;
mod sqlite;
mod transaction;

pub use engine::{Engine, Options, Postgres, Schema, Sqlite};
pub use error::Error;
pub use migration::{Applied, Migration};
pub use postgres::{Begun, within};
pub use probe::{Probe, Trouble};
pub use rows::{Rows, chunks, padded};
pub use sql::Sql;
pub use sqlite::Size;
pub use transaction::Transaction;
