//! Which master keys sealed what is stored, and the keys of hook tokens.

use patchbay_store::{Engine, Error, Transaction, write};
use patchbay_types::Timestamp;
use sqlx::{query, query_as, query_scalar};

use super::HOOK_KEYS;

const LOCK: &str = include_str!("../../queries/lock.sql");
const OTHER_KEY: &str = include_str!("../../queries/other_key.sql");
const RECORD_KEY: &str = include_str!("../../queries/record_key.sql");
const KEYS_IN_USE: &str = include_str!("../../queries/keys_in_use.sql");
const INSERT_HOOK_KEY: &str = include_str!("../../queries/insert_hook_key.sql");

/// A master key that sealed something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UsedKey {
    pub(crate) id: String,
    pub(crate) fingerprint: String,
}

/// A change of keys under way. Dropping it takes everything back.
#[derive(Debug)]
pub(crate) struct KeyChange {
    transaction: Transaction,
}

impl KeyChange {
    pub(super) async fn begin(engine: &Engine) -> Result<Self, Error> {
        let mut transaction = engine.begin().await?;
        write!(transaction, connection => query(LOCK).execute(connection).await.map(drop))?;
        Ok(Self { transaction })
    }

    /// Every key that sealed something that is stored.
    pub(crate) async fn in_use(&mut self) -> Result<Vec<UsedKey>, Error> {
        let found: Vec<(String, String)> =
            write!(self.transaction, connection => query_as(KEYS_IN_USE).fetch_all(connection).await)?;
        Ok(found.into_iter().map(|(id, fingerprint)| UsedKey { id, fingerprint }).collect())
    }

    pub(crate) async fn has_hook_key(&mut self) -> Result<bool, Error> {
        let found: Option<(i64, Vec<u8>)> =
            write!(self.transaction, connection => query_as(HOOK_KEYS).fetch_optional(connection).await)?;
        Ok(found.is_some())
    }

    pub(crate) async fn insert_hook_key(
        &mut self,
        generation: u32,
        key: &UsedKey,
        sealed: &[u8],
        at: Timestamp,
    ) -> Result<(), Error> {
        // Every key in use was compared before, under the same lock.
        record_key(&mut self.transaction, key).await?;
        write!(self.transaction, connection => query(INSERT_HOOK_KEY)
            .bind(i64::from(generation))
            .bind(&key.id)
            .bind(sealed)
            .bind(at.as_micros())
            .execute(connection)
            .await
            .map(drop))?;
        Ok(())
    }

    pub(crate) async fn commit(self) -> Result<(), Error> {
        self.transaction.commit().await
    }
}

/// Notes that this key sealed something, in the transaction that stores what it sealed. Another key that sealed under the
/// same id is left as it is, and its fingerprint returned: processes that were given different keys must not mix them.
pub(super) async fn record_key(transaction: &mut Transaction, key: &UsedKey) -> Result<Option<String>, Error> {
    let other: Option<String> = write!(*transaction, connection => query_scalar(OTHER_KEY)
        .bind(&key.id).bind(&key.fingerprint).fetch_optional(connection).await)?;
    if other.is_none() {
        write!(*transaction, connection => query(RECORD_KEY)
            .bind(&key.id).bind(&key.fingerprint).execute(connection).await.map(drop))?;
    }
    Ok(other)
}
