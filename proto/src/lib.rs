//! Contracts between services: messages, topics, and the way to a peer.

#![expect(
    unused_qualifications,
    clippy::doc_markdown,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    reason = "most of this crate is written by the protobuf compiler, whose manners are its own"
)]

mod method;
mod route;
mod secretive;
mod topic;

pub use method::Method;
pub use route::{Call, Route};
pub use topic::Topic;

/// Every file descriptor, for gRPC reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// What travels over the broker.
pub mod event {
    pub mod v1 {
        tonic::include_proto!("patchbay.event.v1");
    }
}

/// Access to partners' accounts.
pub mod connection {
    pub mod v1 {
        tonic::include_proto!("patchbay.connection.v1");
    }
    /// Between services only.
    pub mod internal {
        pub mod v1 {
            tonic::include_proto!("patchbay.connection.internal.v1");
        }
    }
}

/// Partners, their operations, and what their accounts have.
pub mod catalog {
    pub mod v1 {
        tonic::include_proto!("patchbay.catalog.v1");
    }
}

/// Automations, their versions and sources.
pub mod automation {
    pub mod v1 {
        tonic::include_proto!("patchbay.automation.v1");
    }
    /// Between services only.
    pub mod internal {
        pub mod v1 {
            tonic::include_proto!("patchbay.automation.internal.v1");
        }
    }
}

/// Runs and dead letters.
pub mod executor {
    pub mod v1 {
        tonic::include_proto!("patchbay.executor.v1");
    }
}
