//! A PostgreSQL that goes away and comes back, and one that lets nobody in.

use std::time::Duration;

use patchbay_store::{Engine, Error, Options};
use patchbay_testing::{instances::PostgresServer, proxy::Proxy, wait_for};

use crate::house::{FIRST, insert, on_postgres, things};

const PATIENCE: Duration = Duration::from_secs(20);

async fn open(url: &str) -> Result<Engine, Error> {
    Engine::open(url, &Options { patience: Duration::from_secs(1), ..Options::default() }).await
}

#[tokio::test]
async fn a_pool_goes_on_by_itself_when_a_killed_server_is_back() {
    if !on_postgres() {
        return;
    }
    let server = PostgresServer::start();
    let engine = open(&server.url()).await.unwrap();
    engine.migrate("test", &[FIRST]).await.unwrap();
    insert(&engine, 2, "committed").await.unwrap();
    let unfinished = engine.begin().await.unwrap();
    server.kill();
    let errors = [
        unfinished.commit().await.unwrap_err(),
        insert(&engine, 3, "while it is down").await.unwrap_err(),
        open(&server.url()).await.unwrap_err(),
    ];
    assert!(errors.iter().all(|error| matches!(error, Error::Unavailable(_))), "{errors:?}");
    assert!(errors[2].chain().contains("refused"), "{}", errors[2].chain());
    server.start_again();
    wait_for("the database", PATIENCE, async || insert(&engine, 4, "after").await.ok()).await;
    assert_eq!(things(&engine).await.unwrap(), [1, 2, 4]);
}

#[tokio::test]
async fn connections_that_were_broken_while_nobody_used_them_are_not_noticed() {
    if !on_postgres() {
        return;
    }
    let (proxy, url) = Proxy::before(&patchbay_testing::postgres_url());
    let engine = open(&url).await.unwrap();
    engine.migrate("test", &[FIRST]).await.unwrap();
    proxy.break_all();
    // Only connections that rested for so long are asked for a sign of life.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(things(&engine).await.unwrap(), [1]);
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up() {
    if !on_postgres() {
        return;
    }
    let (proxy, url) = Proxy::before(&patchbay_testing::postgres_url());
    proxy.cut();
    let error = open(&url).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{}", error.chain());
}

#[tokio::test]
async fn a_pool_whose_every_connection_waits_for_a_silent_server_goes_on_when_that_is_back() {
    if !on_postgres() {
        return;
    }
    let (proxy, url) = Proxy::before(&patchbay_testing::postgres_url());
    let options = Options {
        connections: 2,
        patience: Duration::from_millis(500),
        statement_timeout: Duration::from_millis(500),
        ..Options::default()
    };
    let engine = Engine::open(&url, &options).await.unwrap();
    engine.migrate("test", &[FIRST]).await.unwrap();
    let (mut first, mut second) = (engine.begin().await.unwrap(), engine.begin().await.unwrap());
    proxy.cut();
    let insertion = "INSERT INTO things (id, word) VALUES ($1, 'never')";
    let both = async {
        let first = patchbay_store::write!(first, connection =>
            sqlx::query(insertion).bind(2_i64).execute(connection).await.map(drop));
        let second = patchbay_store::write!(second, connection =>
            sqlx::query(insertion).bind(3_i64).execute(connection).await.map(drop));
        [first, second].map(|result| Error::from(result.unwrap_err()))
    };
    let errors = tokio::time::timeout(PATIENCE / 4, both).await.unwrap();
    assert!(errors.iter().all(|error| matches!(error, Error::Unavailable(_))), "{errors:?}");
    drop((first, second));
    proxy.heal();
    // What the silent time swallowed stays swallowed: only new connections can answer.
    wait_for("the database", PATIENCE / 4, async || things(&engine).await.ok()).await;
    drop([engine.begin().await.unwrap(), engine.begin().await.unwrap()]);
}

#[tokio::test]
async fn a_wrong_password_is_refused_with_what_to_do_and_never_shown() {
    if !on_postgres() {
        return;
    }
    let server = PostgresServer::start();
    let engine = open(&server.url()).await.unwrap();
    let mut transaction = engine.begin().await.unwrap();
    patchbay_store::write!(transaction, connection => sqlx::raw_sql(
        "CREATE ROLE with_password; CREATE ROLE guest LOGIN PASSWORD 'the right one' IN ROLE with_password"
    ).execute(connection).await.map(drop))
    .unwrap();
    transaction.commit().await.unwrap();
    open(&server.url().replace("patchbay@", "guest:the%20right%20one@")).await.unwrap();
    let error = open(&server.url().replace("patchbay@", "guest:a-wrong-one@")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "database refuses access: password authentication failed for user \"guest\"\n\
         hint: see the user and the password in `store.url`, and the server's pg_hba.conf"
    );
    assert!(!format!("{error:?} {}", error.chain()).contains("a-wrong-one"));
}
