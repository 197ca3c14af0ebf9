//! Databases to try.

use patchbay_store::{Engine, Error, Migration, Options, Schema};
use patchbay_testing::{StoreKind, store_kind, store_url};
use tempfile::TempDir;

pub(crate) const FIRST: Migration = Migration {
    number: 1,
    name: "things",
    sqlite: "CREATE TABLE things (id INTEGER PRIMARY KEY, word TEXT); INSERT INTO things (id) VALUES (1);",
    postgres: "CREATE TABLE things (id BIGINT PRIMARY KEY, word TEXT); INSERT INTO things (id) VALUES (1);",
};
pub(crate) const SECOND: Migration = Migration {
    number: 2,
    name: "more things",
    sqlite: "INSERT INTO things (id) VALUES (2);",
    postgres: "INSERT INTO things (id) VALUES (2);",
};

/// The database that belongs to `folder`.
pub(crate) async fn open(folder: &TempDir) -> Engine {
    Engine::open(&store_url(folder.path()), &Options::default()).await.unwrap()
}

/// The same, to look at its tables only.
pub(crate) async fn open_to_check(folder: &TempDir) -> Engine {
    let options = Options { schema: Schema::Check, ..Options::default() };
    Engine::open(&store_url(folder.path()), &options).await.unwrap()
}

/// The numbers in the table of [`FIRST`].
pub(crate) async fn things(engine: &Engine) -> Result<Vec<i64>, Error> {
    let things = patchbay_store::read!(engine, pool => {
        sqlx::query_scalar("SELECT id FROM things ORDER BY id").fetch_all(pool).await
    });
    Ok(things?)
}

/// Puts a number with a word into it.
pub(crate) async fn insert(engine: &Engine, id: i64, word: &str) -> Result<(), Error> {
    let mut transaction = engine.begin().await?;
    patchbay_store::write!(transaction, connection =>
        sqlx::query("INSERT INTO things (id, word) VALUES ($1, $2)").bind(id).bind(word)
            .execute(connection).await.map(drop))?;
    transaction.commit().await
}

/// What one row of text says; on PostgreSQL only.
pub(crate) async fn ask(engine: &Engine, question: &'static str) -> Result<String, Error> {
    let Engine::Postgres(postgres) = engine else { panic!("not PostgreSQL") };
    Ok(sqlx::query_scalar(question).fetch_one(&postgres.pool).await?)
}

/// Whether a case about PostgreSQL runs; else it says why not.
#[expect(clippy::print_stdout, reason = "who reads the results should see what did not run")]
pub(crate) fn on_postgres() -> bool {
    let on = store_kind() == StoreKind::Postgres;
    if !on {
        println!("skipped: it is about PostgreSQL, and PATCHBAY_TEST_STORE is not `postgres`");
    }
    on
}
