//! How connections to PostgreSQL are made and kept.

use std::{str::FromStr, time::Duration};

use sqlx::{
    Connection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::{Error, Options};

/// A connection that nobody used for so long is asked for a sign of life before it is used again. One that was used
/// since is taken for alive: at worst one statement fails as it would a moment later.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// What is asked for at every connection.
pub(crate) fn connecting(url: &str, options: &Options) -> Result<PgConnectOptions, Error> {
    let connecting = PgConnectOptions::from_str(url).map_err(|_| Error::Address)?;
    let connecting = match connecting.get_application_name() {
        Some(_) => connecting,
        None => connecting.application_name("patchbay"),
    };
    let given = connecting.get_options().unwrap_or_default().to_owned();
    let limit = format!("{}ms", options.statement_timeout.as_millis());
    let limits = ["statement_timeout", "idle_in_transaction_session_timeout"];
    Ok(connecting.options(limits.into_iter().filter(|name| !given.contains(name)).map(|name| (name, limit.clone()))))
}

/// No connection is made before one is needed.
pub(crate) fn pool(connecting: PgConnectOptions, options: &Options) -> PgPool {
    PgPoolOptions::new()
        .max_connections(options.connections)
        .acquire_timeout(options.patience)
        .test_before_acquire(false)
        .before_acquire(|connection, metadata| {
            Box::pin(async move {
                if metadata.idle_for >= TRUSTED_FOR {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_lazy_with(connecting)
}
