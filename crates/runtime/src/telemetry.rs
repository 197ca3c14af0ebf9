//! Logs to standard error, metrics in one registry.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use prometheus_client::registry::{Metric, Registry};
use tracing_subscriber::{EnvFilter, fmt::format::FmtSpan};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts logging for the process. `filter` is in the syntax of
/// [`EnvFilter`](https://docs.rs/tracing-subscriber/latest/tracing_subscriber/filter/struct.EnvFilter.html), such as `info,patchbay=debug`.
///
/// # Errors
/// When the filter can't be read.
pub fn start_logging(format: LogFormat, filter: &str) -> Result<(), String> {
    let filter = EnvFilter::try_new(filter).map_err(|error| format!("log filter {filter:?}: {error}"))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_span_events(FmtSpan::NONE)
        // A line that can't be written is dropped: complaining about it to the same closed standard error would panic.
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    // A second start, as in tests that run several houses in one process, keeps the first.
    let _ = match format {
        LogFormat::Text => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    Ok(())
}

/// The metrics of one process. Cloning shares them.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Metrics")
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self { registry: Arc::new(Mutex::new(Registry::with_prefix("patchbay"))) }
    }
}

impl Metrics {
    /// Adds `metric` under `patchbay_<name>` and returns it.
    pub fn register<M: Metric + Clone>(&self, name: &str, help: &str, metric: M) -> M {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        registry.register(name, help, metric.clone());
        metric
    }

    /// All metrics in the text format of Prometheus.
    #[must_use]
    pub fn render(&self) -> String {
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        // Writing into a string can't fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &registry);
        text
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::metrics::counter::Counter;

    use super::*;

    #[test]
    fn renders_what_was_registered() {
        let metrics = Metrics::default();
        let counter: Counter = metrics.register("events_accepted", "Events accepted", Counter::default());
        counter.inc_by(3);
        assert!(metrics.render().contains("patchbay_events_accepted_total 3"), "{}", metrics.render());
    }

    #[test]
    fn refuses_a_filter_that_it_cannot_read() {
        assert!(start_logging(LogFormat::Text, "patchbay=loudly").is_err());
    }
}
