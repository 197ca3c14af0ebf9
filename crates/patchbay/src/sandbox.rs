//! The command `sandbox`.

use std::net::SocketAddr;

use anyhow::Context;
use patchbay_sandbox::Sandbox;

use crate::{failure::Failure, output, process::listeners, signals::Signals};

/// Serves the sandbox until a signal.
pub(crate) fn run(listen: SocketAddr) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no threads")?;
    runtime.block_on(async {
        let mut signals = Signals::listen()?;
        let (listener, address) = listeners::bind("sandbox", "--listen", listen).await?;
        output::print(&format!("ready listen=http://{address}\n"))?;
        let served = Sandbox::new().serve(listener, async move { signals.next().await }).await;
        Ok(served.context("sandbox can't be served any longer")?)
    })
}
