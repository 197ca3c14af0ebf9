//! Latencies in a histogram.

use anyhow::{Context, Result};
use hdrhistogram::Histogram;
use serde::Serialize;

/// Longer ones count as this.
const LONGEST_MICROS: u64 = 600_000_000;
const SIGNIFICANT_DIGITS: u8 = 3;

/// Latencies, to the microsecond.
#[derive(Debug)]
pub(crate) struct Latency {
    micros: Histogram<u64>,
}

/// What is told of them, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(crate) struct Milliseconds {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

impl Latency {
    pub(crate) fn new() -> Result<Self> {
        let micros = Histogram::new_with_bounds(1, LONGEST_MICROS, SIGNIFICANT_DIGITS).context("set up a histogram")?;
        Ok(Self { micros })
    }

    pub(crate) fn record(&mut self, from_nanos: u64, until_nanos: u64) {
        self.micros.saturating_record(until_nanos.saturating_sub(from_nanos) / 1000);
    }

    pub(crate) fn add(&mut self, other: &Self) -> Result<()> {
        self.micros.add(&other.micros).context("add histograms")
    }

    pub(crate) fn milliseconds(&self) -> Milliseconds {
        let told = |micros: u64| rounded(micros as f64 / 1000.0, 3);
        Milliseconds {
            p50: told(self.micros.value_at_quantile(0.5)),
            p99: told(self.micros.value_at_quantile(0.99)),
            max: told(self.micros.max()),
        }
    }
}

/// A figure without more digits than it deserves.
pub(crate) fn rounded(figure: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (figure * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_quantiles_in_milliseconds() {
        let mut latency = Latency::new().unwrap();
        for milliseconds in 1..=100 {
            latency.record(5, 5 + milliseconds * 1_000_000);
        }
        let told = latency.milliseconds();
        assert!((told.p50 - 50.0).abs() < 0.1, "{told:?}");
        assert!((told.p99 - 99.0).abs() < 0.1, "{told:?}");
        assert!((told.max - 100.0).abs() < 0.1, "{told:?}");
    }
}
