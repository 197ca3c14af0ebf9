//! The figures, as a table and as JSON.

mod table;

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::fleet::MemoryByMember;
use crate::latency::{Milliseconds, rounded};
use crate::phase::Phase;
use crate::{backlog, burst};

/// From this many pairs on their median is a ratio worth telling.
const PAIRS_FOR_A_RATIO: usize = 5;
const MEBIBYTE: f64 = 1024.0 * 1024.0;

/// All figures. Those at the top are of the saturation phase of the pair with the median throughput; `lost` and `duplicates` are
/// of all phases.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) store: &'static str,
    pub(crate) broker: &'static str,
    pub(crate) duration_s: u64,
    pub(crate) processes: u64,
    pub(crate) connections: u64,
    pub(crate) accepted_per_s: f64,
    pub(crate) completed_per_s: f64,
    pub(crate) ack_ms: Milliseconds,
    pub(crate) end_to_end_ms: Milliseconds,
    pub(crate) cpu_us_per_event: f64,
    /// Of all processes of Patchbay.
    pub(crate) peak_rss_mb: f64,
    /// Of each process after its start, before anything was asked of it.
    pub(crate) rss_mb_by_role: BTreeMap<&'static str, f64>,
    pub(crate) peak_rss_mb_by_role: BTreeMap<&'static str, f64>,
    pub(crate) lost: u64,
    pub(crate) duplicates: u64,
    pub(crate) refused: u64,
    pub(crate) ready_ms: f64,
    /// Of the bare pipeline, the median of the pairs.
    pub(crate) bare_per_s: Option<f64>,
    /// The median of the pairs; none with fewer than five.
    pub(crate) ratio: Option<f64>,
    pub(crate) rates: Vec<Rate>,
    pub(crate) pairs: Vec<Pair>,
    #[serde(flatten)]
    pub(crate) extra: Extra,
}

/// Phases that are asked for.
#[derive(Debug, Serialize)]
pub(crate) struct Extra {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) soak: Option<Soak>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) burst: Option<burst::Told>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) backlog: Option<backlog::Told>,
}

/// An open-loop phase.
#[derive(Debug, Serialize)]
pub(crate) struct Rate {
    pub(crate) rate: u64,
    pub(crate) completed_per_s: f64,
    pub(crate) ack_ms: Milliseconds,
    pub(crate) end_to_end_ms: Milliseconds,
    pub(crate) cpu_us_per_event: f64,
    /// Orders that were not posted, because the system was too far behind.
    pub(crate) given_up: u64,
}

/// A saturation phase of each system, one after the other.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Pair {
    pub(crate) bare_per_s: Option<f64>,
    pub(crate) bare_cpu_us_per_event: Option<f64>,
    pub(crate) patchbay_per_s: Option<f64>,
    pub(crate) patchbay_cpu_us_per_event: Option<f64>,
    pub(crate) ratio: Option<f64>,
}

/// A long saturation phase.
#[derive(Debug, Serialize)]
pub(crate) struct Soak {
    pub(crate) duration_s: u64,
    pub(crate) completed_per_s: f64,
    pub(crate) first_minute_rss_mb: Option<f64>,
    pub(crate) last_minute_rss_mb: Option<f64>,
    pub(crate) peak_rss_mb: f64,
}

impl Rate {
    pub(crate) fn of(rate: u64, phase: &Phase) -> Self {
        Self {
            rate,
            completed_per_s: rounded(phase.completed_per_s, 1),
            ack_ms: phase.ack,
            end_to_end_ms: phase.end_to_end,
            cpu_us_per_event: rounded(phase.cpu_us_per_event, 1),
            given_up: phase.given_up,
        }
    }
}

impl Pair {
    pub(crate) fn of(bare: Option<&Phase>, patchbay: Option<&Phase>) -> Self {
        let ratio = bare.zip(patchbay).map(|(bare, patchbay)| patchbay.completed_per_s / bare.completed_per_s);
        Self {
            bare_per_s: bare.map(|phase| rounded(phase.completed_per_s, 1)),
            bare_cpu_us_per_event: bare.map(|phase| rounded(phase.cpu_us_per_event, 1)),
            patchbay_per_s: patchbay.map(|phase| rounded(phase.completed_per_s, 1)),
            patchbay_cpu_us_per_event: patchbay.map(|phase| rounded(phase.cpu_us_per_event, 1)),
            ratio: ratio.filter(|ratio| ratio.is_finite()).map(|ratio| rounded(ratio, 3)),
        }
    }
}

impl Soak {
    pub(crate) fn of(duration_s: u64, phase: &Phase) -> Self {
        Self {
            duration_s,
            completed_per_s: rounded(phase.completed_per_s, 1),
            first_minute_rss_mb: phase.memory_by_minute.first().copied().map(mebibytes),
            last_minute_rss_mb: phase.memory_by_minute.last().copied().map(mebibytes),
            peak_rss_mb: mebibytes(phase.peak_memory),
        }
    }
}

/// The median of the pairs' ratios, when there are enough of them.
pub(crate) fn ratio(pairs: &[Pair]) -> Option<f64> {
    let ratios: Vec<f64> = pairs.iter().filter_map(|pair| pair.ratio).collect();
    if ratios.len() < PAIRS_FOR_A_RATIO {
        return None;
    }
    median(ratios)
}

/// The middle one; of an even number the lower of the two.
pub(crate) fn median(mut figures: Vec<f64>) -> Option<f64> {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len().checked_sub(1)? / 2).copied()
}

pub(crate) fn mebibytes(bytes: u64) -> f64 {
    rounded(bytes as f64 / MEBIBYTE, 1)
}

pub(crate) fn megabytes(memory: &MemoryByMember) -> BTreeMap<&'static str, f64> {
    memory.iter().map(|(name, bytes)| (*name, mebibytes(*bytes))).collect()
}

impl Report {
    pub(crate) fn json(&self) -> Result<String> {
        serde_json::to_string_pretty(self).context("write the figures as JSON")
    }

    /// Writes `target/bench/latest.json` of the checkout.
    pub(crate) fn save(&self) -> Result<PathBuf> {
        let path = directory().join("latest.json");
        std::fs::write(&path, self.json()? + "\n").with_context(|| format!("write {}", path.display()))?;
        Ok(path)
    }
}

/// Where results go and, for the time of a run, the data: a real disk, which a directory for temporary files may not be.
pub(crate) fn directory() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "..", "target", "bench"].iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.0));
        assert_eq!(median(Vec::new()), None);
    }

    #[test]
    fn a_ratio_needs_five_pairs() {
        let pair = Pair { ratio: Some(0.5), ..Pair::default() };
        assert_eq!(ratio(&[pair; 4]), None);
        assert_eq!(ratio(&[pair; 5]), Some(0.5));
    }
}
