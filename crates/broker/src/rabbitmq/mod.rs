//! RabbitMQ as the broker, 3.10 or later.
//!
//! **Queues.** All are durable quorum queues without a time limit, which refuse what they have no room for. Small messages of
//! [`Topic::TriggerFired`](patchbay_proto::Topic::TriggerFired) go to one of several lanes by tenant, between which consumers
//! take turns: nobody waits behind the backlog of a tenant of another lane. Larger ones go to two queues of their own, of
//! which consumers prefetch few: AMQP bounds a prefetch in messages only, so that a bound of the size of each makes a bound of
//! the bytes. Dead letters are one queue behind an exchange; ended runs are an exchange that anybody may bind queues to.
//!
//! **Connections.** One publishes and one consumes, since the broker blocks the publishing ones when its memory or disk runs
//! out. Each has one room that connects it again (`link`), and declares the topology each time. A channel belongs to one task
//! (`sender`, `session`); what was sent on one that is gone is forgotten: the broker delivers it again, or never confirmed it.
//!
//! **Confirms.** `flight` says what a confirm of the client library is worth, and what it takes to never tell a false one.

mod address;
mod authority;
mod broker;
mod codec;
mod consumer;
mod dial;
mod fault;
mod flight;
mod letter;
mod link;
mod names;
mod options;
mod prober;
mod publisher;
mod request;
mod sender;
mod session;
mod shelf;
mod stream;
mod subscription;
mod tls;
mod topology;
mod turns;
mod window;

pub use authority::Authority;
pub use broker::RabbitMq;
pub use options::Options;
