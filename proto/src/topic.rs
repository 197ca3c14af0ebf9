//! The one list of topics.

/// A stream of messages between services, or to and from other teams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// Events on their way to an executor. Internal, protobuf [`TriggerFired`](crate::event::v1::TriggerFired).
    TriggerFired,
    /// Ended runs, for other teams. Public, CloudEvents in JSON.
    RunFinished,
    /// What a service could not process, on its way to the executor's table. Internal, protobuf.
    DeadLetter,
}

impl Topic {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::TriggerFired, Self::RunFinished, Self::DeadLetter];

    /// The name, without the prefix that each broker puts before it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TriggerFired => "trigger.fired",
            Self::RunFinished => "run.finished",
            Self::DeadLetter => "dead-letter",
        }
    }

    /// Whether a service of ours must receive every message. A topic that nobody must read keeps only its newest part
    /// where the broker is ours.
    #[must_use]
    pub const fn must_be_consumed(self) -> bool {
        match self {
            Self::TriggerFired | Self::DeadLetter => true,
            Self::RunFinished => false,
        }
    }
}
