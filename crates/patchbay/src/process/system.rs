//! What the operating system is asked for at the start. Where it refuses, the process goes on all the same.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Shells allow few open files; every connection is one.
pub(super) fn raise_descriptor_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::debug!(%error, "limit of open files stays as it is");
    }
}

/// The allocator would have pages of 2 MiB, each all of them in memory for the first of its bytes: a process that has
/// nothing to do takes 50 MiB then instead of 25, and a busy one a few percent less CPU.
#[cfg(target_os = "linux")]
pub(super) fn keep_pages_small() {
    if let Err(error) = rustix::thread::disable_transparent_huge_pages(true) {
        tracing::debug!(%error, "pages of memory may be large");
    }
}

/// Other systems decide for themselves.
#[cfg(not(target_os = "linux"))]
pub(super) fn keep_pages_small() {}
