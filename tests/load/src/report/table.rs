//! The figures for people.

use std::fmt::Write;

use anyhow::Result;

use super::{Extra, Report, Soak};
use crate::latency::Milliseconds;
use crate::{backlog, burst};

impl Report {
    /// For people.
    pub(crate) fn table(&self) -> Result<String> {
        let mut table = String::new();
        let (store, broker, seconds) = (self.store, self.broker, self.duration_s);
        let (processes, connections) = (self.processes, self.connections);
        writeln!(
            table,
            "\n{store}, {broker}, processes: {processes}, {seconds} s a phase, {connections} connections\n"
        )?;
        writeln!(table, "{:<14} {:>10} {:>27} {:>27} {:>9}", "", "", "ack ms", "end to end ms", "CPU µs")?;
        let quantiles = format!("{:>9}{:>9}{:>9}", "p50", "p99", "max");
        writeln!(table, "{:<14} {:>10} {quantiles} {quantiles} {:>9}", "phase", "events/s", "an event")?;
        let saturation = (self.completed_per_s, self.ack_ms, self.end_to_end_ms, self.cpu_us_per_event);
        write_row(&mut table, "saturation", saturation)?;
        for rate in &self.rates {
            let figures = (rate.completed_per_s, rate.ack_ms, rate.end_to_end_ms, rate.cpu_us_per_event);
            write_row(&mut table, &format!("{}/s", rate.rate), figures)?;
        }
        writeln!(table)?;
        for (name, figure) in [
            ("accepted a second", format!("{:.0}", self.accepted_per_s)),
            ("bare pipeline a second", or_none(self.bare_per_s.map(|figure| format!("{figure:.0}")))),
            ("ratio", or_none(self.ratio.map(|figure| format!("{figure:.3}")))),
            ("ratios of the pairs", self.ratios_of_pairs()),
            ("peak memory", format!("{:.1} MiB", self.peak_rss_mb)),
            ("ready after", format!("{:.0} ms", self.ready_ms)),
            ("lost, duplicates, refused", format!("{}, {}, {}", self.lost, self.duplicates, self.refused)),
        ] {
            writeln!(table, "{name:<27} {figure}")?;
        }
        for (role, idle) in &self.rss_mb_by_role {
            let peak = or_none(self.peak_rss_mb_by_role.get(role).map(|peak| format!("{peak:.1} MiB")));
            writeln!(table, "memory of {role:<17} {idle:.1} MiB after the start, at most {peak}")?;
        }
        write_extra(&mut table, &self.extra)?;
        Ok(table)
    }

    fn ratios_of_pairs(&self) -> String {
        let ratios = self.pairs.iter().filter_map(|pair| pair.ratio).map(|ratio| format!("{ratio:.3}"));
        ratios.collect::<Vec<String>>().join(" ")
    }
}

fn write_row(table: &mut String, name: &str, row: (f64, Milliseconds, Milliseconds, f64)) -> Result<()> {
    let (per_second, ack, end_to_end, cpu) = row;
    let told = |latency: Milliseconds| format!("{:>9.2}{:>9.2}{:>9.2}", latency.p50, latency.p99, latency.max);
    writeln!(table, "{name:<14} {per_second:>10.0} {} {} {cpu:>9.1}", told(ack), told(end_to_end))?;
    Ok(())
}

fn or_none(figure: Option<String>) -> String {
    figure.unwrap_or_else(|| "–".to_owned())
}

fn write_extra(table: &mut String, extra: &Extra) -> Result<()> {
    if let Some(soak) = &extra.soak {
        write_soak(table, soak)?;
    }
    if let Some(burst) = &extra.burst {
        write_burst(table, burst)?;
    }
    if let Some(backlog) = &extra.backlog {
        write_backlog(table, backlog)?;
    }
    Ok(())
}

fn write_soak(table: &mut String, soak: &Soak) -> Result<()> {
    let told = |figure: Option<f64>| or_none(figure.map(|figure| format!("{figure:.1} MiB")));
    let (first, last) = (told(soak.first_minute_rss_mb), told(soak.last_minute_rss_mb));
    let (seconds, per_second) = (soak.duration_s, soak.completed_per_s);
    writeln!(
        table,
        "soak of {seconds} s: {per_second:.0}/s, memory {first} after the first minute, {last} after the last"
    )?;
    Ok(())
}

fn write_burst(table: &mut String, burst: &burst::Told) -> Result<()> {
    let burst::Told { rate, duration_s, accepted_per_s, completed_per_s, refused, given_up, .. } = burst;
    let burst::Told { left, drain_s, peak_rss_mb, .. } = burst;
    let (p99, drained) = (burst.ack_ms.p99, or_none(burst.drained_per_s.map(|per_s| format!("{per_s:.0}"))));
    writeln!(
        table,
        "burst of {rate}/s for {duration_s} s: {accepted_per_s:.0}/s accepted (p99 {p99:.1} ms), {completed_per_s:.0}/s completed, \
         {refused} refused, {given_up} never posted"
    )?;
    writeln!(table, "after it: {left} drained in {drain_s:.1} s ({drained}/s), memory at most {peak_rss_mb:.1} MiB")?;
    Ok(())
}

fn write_backlog(table: &mut String, backlog: &backlog::Told) -> Result<()> {
    let backlog::Told { events, accepted_per_s, refused, first_call_after_s, drain_s, peak_rss_mb, .. } = backlog;
    let drained = or_none(backlog.drained_per_s.map(|per_s| format!("{per_s:.0}")));
    let executor = or_none(backlog.executor_peak_rss_mb.map(|peak| format!("{peak:.1} MiB")));
    let first = or_none(backlog.neighbour_first_ms.map(|wait| format!("{wait:.0} ms")));
    let (orders, Milliseconds { p50, max, .. }) = (backlog.neighbour_orders, backlog.neighbour_ms);
    writeln!(
        table,
        "backlog of {events} events, accepted at {accepted_per_s:.0}/s without an executor, {refused} refused"
    )?;
    writeln!(
        table,
        "drained in {drain_s:.1} s ({drained}/s), the first call {first_call_after_s:.1} s after the executor's start, memory at \
         most {peak_rss_mb:.1} MiB (executor {executor})"
    )?;
    writeln!(
        table,
        "another workspace meanwhile: its first order took {first}, its {orders} orders {p50:.0} ms in the median, at most {max:.0} ms"
    )?;
    Ok(())
}
