//! The database of a configuration: for a whole process, or for one command.

use std::path::Path;

use anyhow::{Context, anyhow};
use patchbay_runtime::data_directory;
use patchbay_store::{Engine, Probe, Schema, Trouble};

use crate::config::Config;

/// Opens it; a database that is a file is made when missing, its directory too.
pub(crate) async fn open(config: &Config, schema: Schema) -> anyhow::Result<Engine> {
    let store = &config.store;
    let Some(file) = store.file() else { return open_server(config, schema).await };
    if let Some(directory) = file.parent().filter(|path| !path.as_os_str().is_empty()) {
        let failed = || format!("directory {} can't be made", directory.display());
        data_directory::create(directory).with_context(failed)?;
    }
    let failed = || format!("database {} can't be opened", file.display());
    Engine::open(&store.url, &store.options(schema)).await.with_context(failed)
}

/// Looks first: that says better why it can't be used.
async fn open_server(config: &Config, schema: Schema) -> anyhow::Result<Engine> {
    let (store, wrong) = (&config.store, "store.url can't be used");
    let mut probe = Probe::new(&store.url, store.patience).context(wrong)?;
    probe.look().await.map_err(|trouble| {
        let words = match trouble {
            Trouble::Passing(words) => format!("{words}\nhint: see `store.url`"),
            Trouble::Definite(words) => words,
        };
        anyhow!(words).context("database can't be used")
    })?;
    Engine::later(&store.url, &store.options(schema)).context(wrong)
}

/// Does `work` on the database, which is made when it is a file that is missing. The tables of a server that others use
/// are only looked at.
pub(crate) fn on<T>(config: &Config, work: impl AsyncFnOnce(&Engine) -> anyhow::Result<T>) -> anyhow::Result<T> {
    let schema = if config.store.file().is_some() { Schema::Migrate } else { Schema::Check };
    on_with(config, schema, work)
}

/// As [`on`], with something else done to the tables.
pub(crate) fn on_with<T>(
    config: &Config,
    schema: Schema,
    work: impl AsyncFnOnce(&Engine) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no threads")?;
    runtime.block_on(async {
        let engine = open(config, schema).await?;
        let outcome = work(&engine).await;
        engine.close().await;
        outcome
    })
}

/// Refuses a database that is a file and not there.
pub(crate) fn must_exist(config: &Config) -> anyhow::Result<()> {
    match config.store.file().filter(|file: &&Path| !file.exists()) {
        None => Ok(()),
        Some(file) => {
            let file = file.display();
            Err(anyhow!("there is no database {file}\nhint: `patchbay user create` or `patchbay up` makes it"))
        }
    }
}

/// As [`on`], for what makes no sense over a database that is not there.
pub(crate) fn on_existing<T>(
    config: &Config,
    work: impl AsyncFnOnce(&Engine) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    must_exist(config)?;
    on(config, work)
}
