//! The course of the benchmark.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use patchbay_runtime::{Shutdown, Tasks};
use tokio::signal::unix::{SignalKind, signal};

use crate::fleet::MemoryByMember;
use crate::generator::Pace;
use crate::latency::rounded;
use crate::options::{Benchmark, Only};
use crate::phase::{self, Load, Phase};
use crate::report::{self, Extra, Pair, Rate, Report, Soak, mebibytes, megabytes};
use crate::services::Services;
use crate::subject::{Subject, System};
use crate::{backlog, burst};

const WARM_UP: Duration = Duration::from_secs(2);
/// An open loop gives up on orders that are later than this.
const OPEN_PATIENCE: Duration = Duration::from_secs(30);
/// The open-loop rate that is always measured unless others are named.
const USUAL_RATE: u64 = 1000;

/// One thread posts and measures, so that it takes least from those who are measured.
pub(crate) fn run(options: &Benchmark) -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("build a runtime")?;
    runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut course = Course::new(options)?;
        // What was under way is dropped, and with it all processes, before their databases and queues are removed.
        let outcome = tokio::select! {
            outcome = course.run() => outcome,
            _ = interrupt.recv() => Err(anyhow!("interrupted")),
            _ = terminate.recv() => Err(anyhow!("terminated")),
        };
        let ended = course.services.end().await.context("remove what the runs left");
        outcome.and_then(|code| ended.map(|()| code))
    })
}

struct Course<'a> {
    options: &'a Benchmark,
    directory: PathBuf,
    patchbay: System,
    services: Services,
    tasks: Tasks,
    /// All that were run, warm-ups too.
    phases: Vec<Phase>,
}

/// The saturation phase of one system, and how long it took to get ready.
struct Saturation {
    phase: Phase,
    ready_ms: f64,
    idle_memory: MemoryByMember,
}

impl<'a> Course<'a> {
    fn new(options: &'a Benchmark) -> Result<Self> {
        let executable = match &options.patchbay {
            Some(path) => path.clone(),
            None => std::env::current_exe().context("find this executable")?.with_file_name("patchbay"),
        };
        ensure!(
            options.only == Some(Only::Bare) || executable.is_file(),
            "{} is not there; build it by `cargo build --release -p patchbay`, or name it by --patchbay",
            executable.display()
        );
        let directory = report::directory();
        std::fs::create_dir_all(&directory).with_context(|| format!("make {}", directory.display()))?;
        let (concurrency, is_mesh) = (options.concurrency, options.is_mesh());
        let patchbay = System::Patchbay { executable, concurrency, is_mesh };
        let services = Services::find(options)?;
        Ok(Self { options, directory, patchbay, services, tasks: Tasks::new(Shutdown::default()), phases: Vec::new() })
    }

    async fn run(&mut self) -> Result<ExitCode> {
        let system = self.patchbay.clone();
        let (mut bare, mut patchbay) = (Vec::new(), Vec::new());
        for pair in 1..=self.options.pairs {
            eprintln!("pair {pair} of {}", self.options.pairs);
            if self.options.only != Some(Only::Patchbay) {
                bare.push(self.saturate(&System::Bare).await?);
            }
            if self.options.only != Some(Only::Bare) {
                patchbay.push(self.saturate(&system).await?);
            }
        }
        let measured = if patchbay.is_empty() { &bare } else { &patchbay };
        let typical = median_of(measured)?;
        let system = if patchbay.is_empty() { System::Bare } else { system };
        let rates = self.rates(&system, typical.phase.completed_per_s).await?;
        let saturation = typical.phase.completed_per_s;
        let extra = Extra {
            soak: self.soak(&system).await?,
            burst: self.burst(&system, saturation).await?,
            backlog: self.backlog(&system).await?,
        };
        self.tell(&bare, &patchbay, typical, rates, extra)
    }

    /// Fresh data, fresh processes, a warm-up, then the closed loop.
    async fn saturate(&mut self, system: &System) -> Result<Saturation> {
        let mut subject = self.warm(system).await?;
        let phase = self.phase(&mut subject, self.closed(self.duration())).await?;
        let (name, per_second) = (system.name(), phase.completed_per_s);
        eprintln!("  {name:<9} {per_second:>8.0}/s  {:>6.1} µs CPU an event", phase.cpu_us_per_event);
        Ok(Saturation { phase, ready_ms: subject.fleet.ready_ms(), idle_memory: subject.idle_memory.clone() })
    }

    async fn rates(&mut self, system: &System, saturation: f64) -> Result<Vec<Rate>> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate far below 2^53")]
        let half = (saturation / 2.0).max(1.0) as u64;
        let rates = if self.options.rate.is_empty() { vec![USUAL_RATE, half] } else { self.options.rate.clone() };
        let mut subject = self.warm(system).await?;
        let mut told = Vec::new();
        for rate in rates {
            let load = Load { pace: Pace::Open { rate, patience: OPEN_PATIENCE }, ..self.closed(self.duration()) };
            let phase = self.phase(&mut subject, load).await?;
            eprintln!("rate {rate}/s: end to end {:.2} ms in the median", phase.end_to_end.p50);
            told.push(Rate::of(rate, &phase));
        }
        Ok(told)
    }

    async fn soak(&mut self, system: &System) -> Result<Option<Soak>> {
        let Some(seconds) = self.options.soak else { return Ok(None) };
        eprintln!("soak of {seconds} s");
        let mut subject = self.warm(system).await?;
        let phase = self.phase(&mut subject, self.closed(Duration::from_secs(seconds))).await?;
        Ok(Some(Soak::of(seconds, &phase)))
    }

    async fn burst(&mut self, system: &System, saturation: f64) -> Result<Option<burst::Told>> {
        let Some(burst) = self.options.burst else { return Ok(None) };
        let rate = burst.speed.rate(saturation);
        eprintln!("burst of {rate}/s for {} s", burst.seconds);
        let mut subject = self.warm(system).await?;
        let load = burst::load(burst, rate, self.options.connections);
        let phase = self.phase(&mut subject, load).await?;
        Ok(Some(burst::Told::of(burst, rate, load.connections, &phase)))
    }

    async fn backlog(&mut self, system: &System) -> Result<Option<backlog::Told>> {
        let Some(events) = self.options.backlog else { return Ok(None) };
        eprintln!("backlog of {events} events");
        let mut subject = self.start(system).await?;
        let (connections, concurrency) = (self.options.connections, self.options.concurrency);
        let backlog = backlog::Backlog { events, connections, concurrency };
        Ok(Some(backlog::run(&mut subject, backlog, &self.tasks).await?))
    }

    /// On fresh data. Those before it have ended.
    async fn start(&mut self, system: &System) -> Result<Subject> {
        self.services.clear().await.context("remove what the run before left")?;
        let place = self.services.place().await?;
        system.start(&self.directory, &place, &self.tasks).await
    }

    async fn warm(&mut self, system: &System) -> Result<Subject> {
        let mut subject = self.start(system).await?;
        self.phase(&mut subject, self.closed(WARM_UP)).await.context("warm up")?;
        Ok(subject)
    }

    async fn phase(&mut self, subject: &mut Subject, load: Load) -> Result<Phase> {
        let phase = phase::run(subject, load, &self.tasks).await?;
        self.phases.push(phase.clone());
        Ok(phase)
    }

    fn closed(&self, duration: Duration) -> Load {
        let pace = Pace::Closed { backlog: self.options.ahead };
        Load { pace, connections: self.options.connections, duration }
    }

    const fn duration(&self) -> Duration {
        Duration::from_secs(self.options.duration)
    }

    fn tell(
        &self,
        bare: &[Saturation],
        patchbay: &[Saturation],
        typical: &Saturation,
        rates: Vec<Rate>,
        extra: Extra,
    ) -> Result<ExitCode> {
        let phase = &typical.phase;
        let backlog = extra.backlog.as_ref();
        let pairs: Vec<Pair> = (0..bare.len().max(patchbay.len()))
            .map(|pair| Pair::of(phase_of(bare, pair), phase_of(patchbay, pair)))
            .collect();
        let report = Report {
            store: self.options.store.name(),
            broker: self.options.broker.name(),
            duration_s: self.options.duration,
            processes: self.options.processes,
            connections: self.options.connections,
            accepted_per_s: rounded(phase.accepted_per_s, 1),
            completed_per_s: rounded(phase.completed_per_s, 1),
            ack_ms: phase.ack,
            end_to_end_ms: phase.end_to_end,
            cpu_us_per_event: rounded(phase.cpu_us_per_event, 1),
            peak_rss_mb: mebibytes(phase.peak_memory),
            lost: self.sum(|phase| phase.lost) + backlog.map_or(0, |backlog| backlog.lost),
            duplicates: self.sum(|phase| phase.duplicates) + backlog.map_or(0, |backlog| backlog.duplicates),
            refused: self.sum(|phase| phase.refused) + backlog.map_or(0, |backlog| backlog.refused),
            ready_ms: rounded(typical.ready_ms, 1),
            bare_per_s: report::median(pairs.iter().filter_map(|pair| pair.bare_per_s).collect()),
            ratio: report::ratio(&pairs),
            rates,
            pairs,
            rss_mb_by_role: megabytes(&typical.idle_memory),
            peak_rss_mb_by_role: megabytes(&phase.peak_memory_by_member),
            extra,
        };
        print!("{}", if self.options.json { report.json()? + "\n" } else { report.table()? });
        if self.options.only.is_none() {
            let path = report.save()?;
            eprintln!("written to {}", shown(&path));
        }
        if report.lost > 0 || report.duplicates > 0 {
            eprintln!("error: {} orders were lost and {} came twice", report.lost, report.duplicates);
            return Ok(ExitCode::FAILURE);
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Over all phases.
    fn sum(&self, figure: impl Fn(&Phase) -> u64) -> u64 {
        self.phases.iter().map(figure).sum()
    }
}

fn phase_of(saturations: &[Saturation], pair: usize) -> Option<&Phase> {
    saturations.get(pair).map(|saturation| &saturation.phase)
}

fn median_of(saturations: &[Saturation]) -> Result<&Saturation> {
    let per_second = |saturation: &&Saturation| saturation.phase.completed_per_s;
    let middle = report::median(saturations.iter().map(|saturation| per_second(&saturation)).collect());
    saturations.iter().find(|saturation| Some(per_second(saturation)) == middle).context("nothing was measured")
}

fn shown(path: &Path) -> String {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf()).display().to_string()
}
