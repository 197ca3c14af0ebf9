//! What a message on [`Topic::DeadLetter`](patchbay_proto::Topic::DeadLetter) says of itself, beside its own headers.

/// The header that names the topic it was on.
pub const TOPIC: &str = "patchbay-topic";
/// The header that says why it is there, in one word.
pub const REASON: &str = "patchbay-reason";
/// The header that says more about it.
pub const ERROR: &str = "patchbay-error";
/// The reason of what came back too often.
pub const REDELIVERY_LIMIT: &str = "redelivery_limit";
