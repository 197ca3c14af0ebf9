//! The words every room shares: ids, time, faults, and how JSON is taken at the door.
//!
//! No I/O, no async, no clock.

pub mod fault;
mod id;
pub mod json;
mod timestamp;

pub use fault::Fault;
pub use id::{AutomationId, ConnectionId, IncarnationId, ParseIdError, RunId, SourceId, UserId, WorkspaceId};
pub use timestamp::Timestamp;
