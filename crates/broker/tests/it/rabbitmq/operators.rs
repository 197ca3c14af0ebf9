//! What somebody has set up otherwise.

use lapin::options::QueueDeclareOptions;
use lapin::types::{AMQPValue, FieldTable};
use patchbay_broker::contract::{message, take};
use patchbay_broker::rabbitmq::Options;
use patchbay_broker::{Broker, Error, PublishError};
use patchbay_testing::amqp;
use patchbay_testing::instances::RabbitServer;

use super::support::{TOPIC, connect, open, queues};

/// The same server and virtual host for somebody else.
fn as_user(user: &str, password: &str, url: &str) -> Options {
    let (_, place) = url.rsplit_once('@').unwrap();
    Options::new(format!("amqp://{user}:{password}@{place}"))
}

#[tokio::test]
async fn names_the_user_when_the_password_is_wrong() {
    let (url, _) = amqp();

    let error = open(as_user("somebody", "secret-word", &url)).await.unwrap_err();

    assert!(matches!(&error, Error::Credentials { user, .. } if user == "somebody"), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("secret-word"), "{error:?}");
}

#[tokio::test]
async fn names_a_virtual_host_that_is_not_there() {
    let (url, _) = amqp();
    let (server, _) = url.rsplit_once('/').unwrap();

    let error = open(Options::new(format!("{server}/nowhere"))).await.unwrap_err();

    assert!(matches!(&error, Error::VirtualHost { vhost, .. } if vhost == "nowhere"), "{error:?}");
}

#[tokio::test]
async fn refuses_an_address_that_it_cannot_read() {
    let error = open(Options::new("rabbit://secret-word")).await.unwrap_err();

    assert!(matches!(error, Error::Address { .. }), "{error:?}");
    assert!(!error.to_string().contains("secret-word"), "{error}");
}

#[tokio::test]
async fn names_the_queue_and_the_argument_that_differ() {
    let (url, prefix) = amqp();
    let queue = format!("{prefix}.trigger.fired.5");
    let connection = connect(&url).await;
    let channel = connection.create_channel().await.unwrap();
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("classic".into()));
    channel.queue_declare(queue.as_str().into(), QueueDeclareOptions::durable(), arguments).await.unwrap();

    let error = open(Options { prefix: prefix.clone(), ..Options::new(url) }).await.unwrap_err();

    assert!(matches!(&error, Error::Inequivalent { name, .. } if *name == queue), "{error:?}");
    assert!(error.to_string().contains("x-"), "{error}");
    for queue in queues(&prefix) {
        channel.queue_delete(queue.as_str().into(), Default::default()).await.unwrap();
    }
}

/// One server for all, which takes seconds to start.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn says_which_permission_is_missing_and_does_without_the_one_to_declare() {
    let server = RabbitServer::start();
    let options = |user: &str| as_user(user, "word", &server.url());
    for (user, write, read) in [("reader", "^$", ".*"), ("writer", ".*", "^$")] {
        server.control(&["add_user", user, "word"]);
        server.control(&["set_permissions", "--vhost", "patchbay", user, "^$", write, read]);
    }

    let undeclared = open(options("reader")).await.unwrap_err();
    let owner = open(Options::new(server.url())).await.unwrap();
    owner.publish(TOPIC, vec![message(1)]).await.unwrap();
    let reader = open(options("reader")).await.unwrap();
    let writer = open(options("writer")).await.unwrap();
    let mut consumer = reader.subscribe(TOPIC, 1).await.unwrap();

    let missing = |error: &Error, wanted: &str, user: &str| matches!(error, Error::Permission { permission, user: whose, .. } if *permission == wanted && whose == user);
    assert!(missing(&undeclared, "configure", "reader"), "{undeclared:?}");
    assert_eq!(take(&mut *consumer, 1).await[0].message, message(1));
    let unread = writer.subscribe(TOPIC, 1).await.unwrap_err();
    assert!(missing(&unread, "read", "writer"), "{unread:?}");
    assert_eq!(writer.publish(TOPIC, vec![message(2)]).await, Ok(()));
    let unwritten = reader.publish(TOPIC, vec![message(3)]).await;
    assert!(
        matches!(&unwritten, Err(PublishError::Unavailable(why)) if why.contains("user reader has no write permission")),
        "{unwritten:?}"
    );
    for broker in [owner, reader, writer] {
        broker.close().await;
    }
}
