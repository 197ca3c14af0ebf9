//! Where the broker can: nobody waits behind another tenant's backlog.

use patchbay_proto::Topic;

use super::{Subject, message, next};
use crate::{Delivery, Message};

const TOPIC: Topic = Topic::TriggerFired;
const BACKLOG: u64 = 5000;
/// By then the other tenant's message is there.
const SOON: u64 = 500;

/// A message is delivered soon although very many of another tenant were there before.
pub async fn delivers_one_tenant_soon_behind_the_backlog_of_another(subject: impl Subject) {
    let broker = subject.broker();
    let (many, one) = subject.tenants();
    for start in (0..BACKLOG).step_by(500) {
        let chunk = (start..start + 500).map(|number| Message { tenant: many, ..message(number) });
        broker.publish(TOPIC, chunk.collect()).await.unwrap();
    }
    broker.publish(TOPIC, vec![Message { tenant: one, ..message(BACKLOG) }]).await.unwrap();
    let mut consumer = broker.subscribe(TOPIC, 50).await.unwrap();

    let mut before = 0;
    loop {
        let batch = next(&mut *consumer, 50).await;
        if batch.iter().any(|delivery| delivery.message == message(BACKLOG)) {
            break;
        }
        before += batch.len() as u64;
        assert!(before <= SOON, "still waiting behind {before} of another tenant");
        Delivery::acknowledge_all(batch);
    }
}
