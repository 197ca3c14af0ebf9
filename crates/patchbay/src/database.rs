//! The database of a configuration: for a whole process, or for one command.

use std::path::Path;

use anyhow::{Context, anyhow};
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
        schema: patchbay_store::Schema::Migrate,
    };
    let failed = || match config.store.file() {
        Some(file) => format!("database {} can't be opened", file.display()),
        None => "database can't be opened\nhint: see `store.url`".to_owned(),
    };
    Engine::open(&config.store.url, &options).await.with_context(failed)
}

/// Does `work` on the database, which is made when missing.
pub(crate) fn on<T>(config: &Config, work: impl AsyncFnOnce(&Engine) -> anyhow::Result<T>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no threads")?;
    runtime.block_on(async {
        let engine = open(config).await?;
        let outcome = work(&engine).await;
        engine.close().await;
        outcome
    })
}

/// As [`on`], for what makes no sense over a database that is not there.
pub(crate) fn on_existing<T>(
    config: &Config,
    work: impl AsyncFnOnce(&Engine) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    match config.store.file().filter(|file| !file.exists()) {
        None => on(config, work),
        Some(file) => {
            let file = file.display();
            Err(anyhow!("there is no database {file}\nhint: `patchbay user create` or `patchbay up` makes it"))
        }
    }
}
