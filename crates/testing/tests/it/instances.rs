//! Servers that are killed and started again.

use patchbay_store::{Applied, Engine, Migration, Options};
use patchbay_testing::instances::{PostgresServer, RabbitServer};

const STEP: Migration = Migration { number: 1, name: "nothing", sqlite: "", postgres: "" };

async fn applied(server: &PostgresServer) -> Vec<Applied> {
    let engine = Engine::open(&server.url(), &Options::default()).await.unwrap();
    let applied = engine.applied().await.unwrap();
    engine.close().await;
    applied
}

#[tokio::test]
async fn a_killed_postgres_comes_back_with_its_data() {
    let server = PostgresServer::start();
    let engine = Engine::open(&server.url(), &Options::default()).await.unwrap();
    engine.migrate("test", &[STEP]).await.unwrap();
    server.kill();
    assert!(Engine::open(&server.url(), &Options::default()).await.is_err(), "nobody listens");
    server.start_again();
    let expected = Applied { service: "test".to_owned(), number: 1, name: "nothing".to_owned() };
    assert_eq!(applied(&server).await, [expected]);
}

#[test]
fn a_killed_rabbitmq_comes_back_with_its_data() {
    let server = RabbitServer::start();
    let url = server.vhost("more");
    assert!(url.ends_with("/more"), "{url}");
    server.kill();
    server.start_again();
    let mut vhosts: Vec<String> = server.control(&["list_vhosts"]).lines().map(str::to_owned).collect();
    vhosts.sort_unstable();
    assert_eq!(vhosts, ["more", "name", "patchbay"]);
}
