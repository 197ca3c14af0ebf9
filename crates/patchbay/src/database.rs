//! Opening the database of a configuration.

use std::path::Path;

use anyhow::Context;
use patchbay_runtime::data_directory;
use patchbay_store::{Engine, Options};

use crate::config::Config;

/// Opens it; a database that is a file is made when missing, its directory too.
pub(crate) async fn open(config: &Config) -> anyhow::Result<Engine> {
    if let Some(directory) = config.store.file().and_then(Path::parent).filter(|path| !path.as_os_str().is_empty()) {
        let failed = || format!("directory {} can't be made", directory.display());
        data_directory::create(directory).with_context(failed)?;
    }
    let options = Options {
        connections: config.store.connections,
        patience: config.store.patience,
        cache_kib: config.store.cache_kib,
        checkpoint_pages: config.store.checkpoint_pages,
    };
    let failed = || match config.store.file() {
        Some(file) => format!("database {} can't be opened", file.display()),
        None => "database can't be opened\nhint: see `store.url`".to_owned(),
    };
    Engine::open(&config.store.url, &options).await.with_context(failed)
}
