//! TLS between us and PostgreSQL.

use std::fs;

use patchbay_store::{Engine, Error, Options};
use patchbay_testing::instances::PostgresServer;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use sqlx::AssertSqlSafe;

use crate::house::{ask, on_postgres};

const IS_ENCRYPTED: &str = "SELECT ssl::TEXT FROM pg_stat_ssl WHERE pid = pg_backend_pid()";

/// Gives the server a certificate for its address, and returns it.
async fn encrypt(server: &PostgresServer) -> String {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let (certificate, key) = (cert.pem(), signing_key.serialize_pem());
    let Engine::Postgres(postgres) = open(&server.url()).await.unwrap() else { panic!("not PostgreSQL") };
    for (file, text) in [("server.crt", &certificate), ("server.key", &key)] {
        // The server writes its files itself: they must be its own.
        let statement =
            format!("COPY (SELECT regexp_split_to_table('{text}', '\\r?\\n')) TO PROGRAM 'umask 077; cat > {file}'");
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&postgres.pool).await.unwrap();
    }
    sqlx::raw_sql("ALTER SYSTEM SET ssl = on").execute(&postgres.pool).await.unwrap();
    postgres.pool.close().await;
    server.kill();
    server.start_again();
    certificate
}

async fn open(url: &str) -> Result<Engine, Error> {
    Engine::open(url, &Options::default()).await
}

#[tokio::test]
async fn an_address_may_ask_for_encryption_and_for_a_proof_of_the_server() {
    if !on_postgres() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = PostgresServer::start();
    let plain = open(&format!("{}?sslmode=require", server.url())).await.unwrap_err();
    assert!(matches!(plain, Error::Refused { .. }), "{}", plain.chain());

    let (right, wrong) = (folder.path().join("right.pem"), folder.path().join("wrong.pem"));
    fs::write(&right, encrypt(&server).await).unwrap();
    fs::write(&wrong, generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap().cert.pem()).unwrap();
    let verified = |authority: &std::path::Path| {
        format!("{}?sslmode=verify-full&sslrootcert={}", server.url(), authority.display())
    };

    let required = open(&format!("{}?sslmode=require", server.url())).await.unwrap();
    assert_eq!(ask(&required, IS_ENCRYPTED).await.unwrap(), "true");
    let proven = open(&verified(&right)).await.unwrap();
    assert_eq!(ask(&proven, IS_ENCRYPTED).await.unwrap(), "true");
    let stranger = open(&verified(&wrong)).await.unwrap_err();
    assert!(matches!(stranger, Error::Refused { .. }), "{}", stranger.chain());
}
