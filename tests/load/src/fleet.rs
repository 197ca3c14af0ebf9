//! The processes of one system, measured together.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::{Context, Result};

use crate::process::Process;

/// Bytes of memory by the name of a member.
pub(crate) type MemoryByMember = BTreeMap<&'static str, u64>;

/// Running processes by name. Dropping it ends them, all at once.
#[derive(Debug)]
pub(crate) struct Fleet {
    members: BTreeMap<&'static str, Process>,
    /// Where orders are posted.
    pub(crate) hooks: SocketAddr,
    /// Where the API is.
    pub(crate) api: SocketAddr,
}

impl Fleet {
    /// One process that does all.
    pub(crate) fn single(name: &'static str, process: Process) -> Self {
        let listen = process.listen;
        Self { members: BTreeMap::from([(name, process)]), hooks: listen, api: listen }
    }

    pub(crate) const fn new(members: BTreeMap<&'static str, Process>, hooks: SocketAddr, api: SocketAddr) -> Self {
        Self { members, hooks, api }
    }

    /// From the first start to the last word, in milliseconds.
    pub(crate) fn ready_ms(&self) -> f64 {
        let started_at = self.members.values().map(|process| process.started_at).min().unwrap_or(0);
        let ready_at = self.members.values().map(|process| process.ready_at).max().unwrap_or(0);
        ready_at.saturating_sub(started_at) as f64 / 1e6
    }

    /// Fails when a member has ended.
    pub(crate) fn check(&mut self) -> Result<()> {
        self.members.values_mut().try_for_each(Process::check)
    }

    /// The end of what each member said to standard error.
    pub(crate) fn last_words(&self) -> String {
        let told = |(name, process): (&&str, &Process)| format!("{name}:\n{}\n", process.last_words());
        self.members.iter().map(told).collect()
    }

    /// Nanoseconds of processor time of all members until now.
    pub(crate) fn cpu_nanos(&self) -> Result<u64> {
        self.members.values().map(Process::cpu_nanos).sum()
    }

    /// Bytes of memory of all members now.
    pub(crate) fn memory(&self) -> Result<u64> {
        self.members.values().map(Process::memory).sum()
    }

    /// The most bytes of memory of each member, added up: each may have had its own at another moment.
    pub(crate) fn peak_memory(&self) -> Result<u64> {
        self.members.values().map(Process::peak_memory).sum()
    }

    pub(crate) fn memory_by_member(&self) -> Result<MemoryByMember> {
        self.members.iter().map(|(name, process)| Ok((*name, process.memory()?))).collect()
    }

    pub(crate) fn peak_memory_by_member(&self) -> Result<MemoryByMember> {
        self.members.iter().map(|(name, process)| Ok((*name, process.peak_memory()?))).collect()
    }

    /// Ends a member and waits for its end.
    pub(crate) fn end(&mut self, name: &str) -> Result<()> {
        self.members.remove(name).map(drop).with_context(|| format!("{name} does not run"))
    }

    pub(crate) fn add(&mut self, name: &'static str, process: Process) {
        self.members.insert(name, process);
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.members.values_mut().for_each(Process::ask_to_end);
    }
}
