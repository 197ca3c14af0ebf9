//! Processes of the benchmark: started, watched, and always ended.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::clock::{NANOS_A_SECOND, now_nanos};

const READY_TIMEOUT: Duration = Duration::from_secs(30);
/// A drain ends within 20 seconds.
const END_TIMEOUT: Duration = Duration::from_secs(25);
const END_POLL: Duration = Duration::from_millis(10);
/// Of a process that has not told its address.
const UNKNOWN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
const TAIL_LINES: usize = 20;

/// A child that said it is ready. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Process {
    name: &'static str,
    child: Child,
    errors: PathBuf,
    /// Where it listens.
    pub(crate) listen: SocketAddr,
    /// When it was started and when it said that it is ready.
    pub(crate) started_at: u64,
    pub(crate) ready_at: u64,
}

/// A child that has not said yet that it is ready.
#[derive(Debug)]
pub(crate) struct Starting {
    process: Process,
    ready: mpsc::Receiver<(SocketAddr, u64)>,
}

impl Starting {
    /// Waits for its line `{"event":"ready","listen":…}`.
    pub(crate) fn ready(self) -> Result<Process> {
        let Self { mut process, ready } = self;
        let Ok((listen, ready_at)) = ready.recv_timeout(READY_TIMEOUT) else {
            bail!("{} did not become ready\n{}", process.name, process.last_words());
        };
        process.listen = listen;
        process.ready_at = ready_at;
        Ok(process)
    }
}

impl Process {
    /// Starts it and waits until it is ready. What it says to standard error goes to a file.
    pub(crate) fn start(name: &'static str, command: Command, errors: PathBuf) -> Result<Self> {
        Self::spawn(name, command, errors)?.ready()
    }

    /// Starts it without waiting.
    pub(crate) fn spawn(name: &'static str, mut command: Command, errors: PathBuf) -> Result<Starting> {
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = Self::child(name, command, errors)?;
        let output = process.child.stdout.take().context("take the standard output of a child")?;
        let (sender, ready) = mpsc::sync_channel(1);
        std::thread::Builder::new().name(format!("output of {name}")).spawn(move || {
            // The rest is read too, or the child would wait for a reader.
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Some(listen) = listen_of(&line) {
                    let _ = sender.try_send((listen, now_nanos()));
                }
            }
        })?;
        Ok(Starting { process, ready })
    }

    fn child(name: &'static str, mut command: Command, errors: PathBuf) -> Result<Self> {
        let error_file = fs::File::create(&errors).with_context(|| format!("create {}", errors.display()))?;
        let started_at = now_nanos();
        let child = command
            .stderr(error_file)
            .spawn()
            .with_context(|| format!("start {name} ({})", command.get_program().display()))?;
        Ok(Self { name, child, errors, listen: UNKNOWN, started_at, ready_at: started_at })
    }

    /// Fails when it has ended.
    pub(crate) fn check(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("{} ended by itself: {status}\n{}", self.name, self.last_words());
        }
        Ok(())
    }

    /// The end of what it said to standard error.
    pub(crate) fn last_words(&self) -> String {
        let text = fs::read_to_string(&self.errors).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
    }

    /// Nanoseconds of processor time until now, in user and kernel mode (proc(5), `/proc/pid/stat`, fields 14 and 15).
    pub(crate) fn cpu_nanos(&self) -> Result<u64> {
        let path = self.proc_file("stat");
        let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        let ticks = cpu_ticks(&text).with_context(|| format!("understand {}", path.display()))?;
        Ok(ticks * NANOS_A_SECOND / rustix::param::clock_ticks_per_second())
    }

    /// Bytes of memory in use now.
    pub(crate) fn memory(&self) -> Result<u64> {
        self.status("VmRSS")
    }

    /// The most bytes of memory that were in use.
    pub(crate) fn peak_memory(&self) -> Result<u64> {
        self.status("VmHWM")
    }

    fn status(&self, key: &str) -> Result<u64> {
        let path = self.proc_file("status");
        let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        let kib = status_kib(&text, key).with_context(|| format!("find {key} in {}", path.display()))?;
        Ok(kib * 1024)
    }

    fn proc_file(&self, name: &str) -> PathBuf {
        Path::new("/proc").join(self.child.id().to_string()).join(name)
    }

    fn has_ended_in_time(&mut self) -> bool {
        let give_up_at = now_nanos() + u64::try_from(END_TIMEOUT.as_nanos()).unwrap_or(u64::MAX);
        while now_nanos() < give_up_at {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return true;
            }
            std::thread::sleep(END_POLL);
        }
        false
    }
}

impl Process {
    /// Asks it to end, without waiting.
    pub(crate) fn ask_to_end(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.ask_to_end();
        if self.has_ended_in_time() {
            return;
        }
        eprintln!("{} did not end within {END_TIMEOUT:?} and is killed", self.name);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command to its end, with a text for its standard input.
pub(crate) fn run_to_end(name: &'static str, mut command: Command, input: &str, errors: PathBuf) -> Result<()> {
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    let mut process = Process::child(name, command, errors)?;
    let mut standard_input = process.child.stdin.take().context("take the standard input of a child")?;
    standard_input.write_all(input.as_bytes()).with_context(|| format!("write to {name}"))?;
    drop(standard_input);
    if !process.has_ended_in_time() {
        bail!("{name} did not end\n{}", process.last_words());
    }
    let status = process.child.wait()?;
    if !status.success() {
        bail!("{name} failed: {status}\n{}", process.last_words());
    }
    Ok(())
}

/// Ends this process when the benchmark ends, however it does.
pub(crate) fn end_with_parent() -> Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::TERM)).context("bind to the parent process")
}

/// Says that this process is ready.
pub(crate) fn say_ready(listen: SocketAddr) {
    println!("{}", serde_json::json!({ "event": "ready", "listen": listen.to_string() }));
}

fn listen_of(line: &str) -> Option<SocketAddr> {
    let line: Value = serde_json::from_str(line).ok()?;
    if line["event"] != "ready" {
        return None;
    }
    // A process of the mesh may listen at no public address; its others were given to it.
    Some(line["listen"].as_str().and_then(|listen| listen.parse().ok()).unwrap_or(UNKNOWN))
}

/// The name in parentheses may hold anything, so fields are counted from its end.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ').skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let kernel: u64 = fields.next()?.parse().ok()?;
    Some(user + kernel)
}

fn status_kib(status: &str, key: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_processor_time_behind_a_name_with_blanks_and_parentheses() {
        let stat = "42 (a) b) S 1 42 42 0 -1 4194304 1 2 3 4 70 8 0 0 20 0 3 0 100";
        assert_eq!(cpu_ticks(stat), Some(78));
    }

    #[test]
    fn reads_memory() {
        assert_eq!(status_kib("Name:\tx\nVmHWM:\t  2048 kB\nVmRSS:\t 12 kB\n", "VmRSS"), Some(12));
        assert_eq!(status_kib("Name:\tx\n", "VmRSS"), None);
    }

    #[test]
    fn takes_the_address_from_the_ready_line_only() {
        assert_eq!(listen_of(r#"{"event":"ready","listen":"127.0.0.1:80"}"#), "127.0.0.1:80".parse().ok());
        assert_eq!(listen_of(r#"{"event":"ready"}"#), Some(UNKNOWN));
        assert_eq!(listen_of(r#"{"event":"listening","listen":"127.0.0.1:80"}"#), None);
        assert_eq!(listen_of("ready"), None);
    }
}
