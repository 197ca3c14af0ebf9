//! The section `store`.

use std::{path::Path, time::Duration};

use patchbay_runtime::config::duration;
use patchbay_store::{Options, Schema};
use serde::Deserialize;

use crate::failure::Failure;

const FILE: &str = "sqlite://";
/// Readers of a file: it has one writer beside them.
const READERS: u32 = 2;
/// Enough for all roles of a process; a server takes a hundred by default.
const CONNECTIONS: u32 = 8;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Store {
    /// May hold a password.
    pub(crate) url: String,
    /// 0 is by itself.
    connections: u32,
    #[serde(deserialize_with = "duration::deserialize")]
    pub(crate) patience: Duration,
    #[serde(deserialize_with = "duration::deserialize")]
    statement_timeout: Duration,
    cache_kib: u32,
    checkpoint_pages: u32,
}

impl Store {
    /// The file that the database is, if it is one.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.url.strip_prefix(FILE).map(Path::new)
    }

    pub(super) fn is_file(&self) -> bool {
        self.url.starts_with("sqlite:")
    }

    pub(crate) fn options(&self, schema: Schema) -> Options {
        let by_itself = if self.is_file() { READERS } else { CONNECTIONS };
        let connections = if self.connections == 0 { by_itself } else { self.connections };
        Options {
            connections,
            patience: self.patience,
            statement_timeout: self.statement_timeout,
            cache_kib: self.cache_kib,
            checkpoint_pages: self.checkpoint_pages,
            schema,
        }
    }

    /// The address may hold a password, so it is not repeated.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if self.patience.is_zero() {
            return Err(Failure::usage("store.patience must be more than 0s"));
        }
        if self.statement_timeout.is_zero() {
            return Err(Failure::usage("store.statement_timeout must be more than 0s"));
        }
        let is_file = self.file().is_some_and(|file| !file.as_os_str().is_empty());
        if is_file || self.url.starts_with("postgres://") || self.url.starts_with("postgresql://") {
            return Ok(());
        }
        Err(Failure::usage(
            "store.url is not an address of a database; expected sqlite://PATH or postgres://USER@HOST/NAME",
        ))
    }
}
