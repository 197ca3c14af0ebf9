//! The built executable as a process that ends with its test.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use patchbay_runtime::Clock;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// How long a start, an end or a wait may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// How a call of the executable ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) output: String,
    pub(crate) errors: String,
}

/// A call with nothing of this process's own configuration.
pub(crate) fn command<S: AsRef<OsStr>>(arguments: &[S]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_patchbay"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PATCHBAY__")) {
        command.env_remove(name);
    }
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a call to its end.
pub(crate) fn run<S: AsRef<OsStr>>(arguments: &[S]) -> Ended {
    finish(command(arguments))
}

/// Runs a prepared call to its end; one that does not end in time fails the test.
pub(crate) fn finish(mut command: Command) -> Ended {
    Process { child: command.spawn().unwrap() }.ended()
}

/// Runs a call that is given `input`.
pub(crate) fn run_with_input<S: AsRef<OsStr>>(arguments: &[S], input: &str) -> Ended {
    let mut child = command(arguments).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin: ChildStdin = child.stdin.take().unwrap();
    // A call that is refused before it reads closes its end.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    Process { child }.ended()
}

/// The arguments of `up` with free ports.
pub(crate) fn up(data: &Path, more: &[&str]) -> Vec<String> {
    let any = "127.0.0.1:0";
    let mut arguments = vec!["up", "--data-dir", data.to_str().unwrap(), "--log-format", "json"];
    arguments.extend(["--listen", any, "--grpc-listen", any, "--admin-listen", any]);
    arguments.extend(more);
    arguments.into_iter().map(str::to_owned).collect()
}

/// A process that is ended with its test.
pub(crate) struct Process {
    child: Child,
}

impl Process {
    /// Starts a call and reads its line `ready`.
    pub(crate) fn start(mut command: Command) -> (Self, Value) {
        let mut child = command.spawn().unwrap();
        let output = child.stdout.take().unwrap();
        let process = Self { child };
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let mut line = String::new();
            BufReader::new(output).read_line(&mut line).unwrap();
            sender.send(line)
        });
        let line = receiver.recv_timeout(PATIENCE).unwrap();
        match serde_json::from_str(&line) {
            Ok(ready) => (process, ready),
            Err(_) => panic!("{line:?} {:?}", process.ended()),
        }
    }

    /// Starts a call and gives what it prints line by line.
    pub(crate) fn watch(mut command: Command) -> (Self, mpsc::Receiver<String>) {
        let mut child = command.spawn().unwrap();
        let output = child.stdout.take().unwrap();
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            BufReader::new(output).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        (Self { child }, receiver)
    }

    /// A child that was started otherwise.
    pub(crate) fn of(child: Child) -> Self {
        Self { child }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// SIGTERM, and what became of it.
    pub(crate) fn terminate(self) -> Ended {
        self.signal(Signal::TERM);
        self.ended()
    }

    /// Waits for the end.
    pub(crate) fn ended(mut self) -> Ended {
        let output = self.child.stdout.take().map(read);
        let errors = self.child.stderr.take().map(read);
        let clock = Clock::system();
        let started = clock.since_boot();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(clock.since_boot() - started < PATIENCE, "the process does not end");
            thread::sleep(LOOK_EVERY);
        };
        let text =
            |reader: Option<thread::JoinHandle<String>>| reader.map_or_else(String::new, |read| read.join().unwrap());
        Ended { code: status.code(), output: text(output), errors: text(errors) }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut text = String::new();
        let _ = pipe.read_to_string(&mut text);
        text
    })
}

/// An address of the line `ready`.
pub(crate) fn address<'ready>(ready: &'ready Value, name: &str) -> &'ready str {
    ready[name].as_str().unwrap()
}
