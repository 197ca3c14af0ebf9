//! What a role stands on in a test.

use std::path::Path;

use patchbay_broker::embedded::{Embedded, Options};
use patchbay_runtime::{Clock, Shutdown, Tasks, telemetry::Metrics};
use patchbay_service::Ground;
use patchbay_store::Engine;

/// A ground whose database and broker are files in `folder`, so that a test may open them again: `patchbay.db` and
/// `broker/`. Close the engine and the broker, or drop everything, before that.
///
/// # Panics
/// When the files can't be made or opened.
#[must_use]
#[expect(clippy::expect_used, reason = "tests say by panic what went wrong")]
pub async fn ground(folder: &Path) -> Ground {
    let url = format!("sqlite://{}", folder.join("patchbay.db").display());
    let engine = Engine::open(&url, &patchbay_store::Options::default()).await.expect("the database opens");
    let broker = Embedded::open(Options::new(folder.join("broker"))).await.expect("the broker opens");
    Ground {
        clock: Clock::system(),
        tasks: Tasks::new(Shutdown::default()),
        metrics: Metrics::default(),
        engine,
        broker,
        reserve: None,
    }
}
