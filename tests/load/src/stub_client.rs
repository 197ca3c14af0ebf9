//! The partner, as the benchmark sees it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use bytes::{Buf, Bytes};
use patchbay_runtime::Tasks;

use crate::http_client::Connection;
use crate::process::Process;
use crate::stub::{ARRIVALS_A_PAGE, ARRIVALS_PATH, COUNTERS_PATH, Counters};

/// A running partner stub, and a connection to ask it.
#[derive(Debug)]
pub(crate) struct Stub {
    process: Process,
    connection: Connection,
}

impl Stub {
    /// Starts one; its messages go to a file in `directory`.
    pub(crate) async fn start(directory: &Path, tasks: &Tasks) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe().context("find this executable")?);
        command.arg("stub");
        let process = Process::start("the partner stub", command, directory.join("stub.log"))?;
        let connection = Connection::open(process.listen, tasks).await?;
        Ok(Self { process, connection })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.process.listen
    }

    pub(crate) async fn counters(&mut self) -> Result<Counters> {
        let counters = self.connection.get(COUNTERS_PATH).await.context("ask the stub")?;
        serde_json::from_slice(&counters).context("read the stub's counters")
    }

    /// When each order arrived first, from order `from` until before `until`; 0 for those that did not.
    pub(crate) async fn arrivals(&mut self, from: u64, until: u64) -> Result<Vec<u64>> {
        let mut times = Vec::new();
        let mut next = from;
        while next < until {
            let page: Bytes = self.connection.get(&format!("{ARRIVALS_PATH}{next}")).await.context("ask the stub")?;
            let page_end = (next / ARRIVALS_A_PAGE + 1) * ARRIVALS_A_PAGE;
            for number in next..page_end.min(until) {
                let offset = usize::try_from(number % ARRIVALS_A_PAGE * 8)?;
                times.push(page.get(offset..offset + 8).map_or(0, |mut bytes| bytes.get_u64_le()));
            }
            next = page_end;
        }
        Ok(times)
    }
}
