//! How a command ends when it does not succeed, and how that is said.

use std::{fmt::Write as _, io::Write as _, process::ExitCode};

use anyhow::anyhow;

/// Why a command did not succeed.
pub(crate) enum Failure {
    /// The command line or the configuration is wrong. Nothing was bound or written.
    Usage(anyhow::Error),
    /// It was tried.
    Failed(anyhow::Error),
}

impl Failure {
    /// The command line or the configuration is wrong, in these words.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(anyhow!(message.into()))
    }

    /// Says it on standard error, and returns the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        let (error, code) = match self {
            Self::Usage(error) => (error, 2),
            Self::Failed(error) => (error, 1),
        };
        // Nobody listens to standard error: there is nowhere else to say it.
        let _ = std::io::stderr().write_all(words(error).as_bytes());
        ExitCode::from(code)
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

/// The end of a command line that can't be read, or of a call for help.
pub(crate) fn refused(refusal: &clap::Error) -> ExitCode {
    // Nobody listens.
    let _ = refusal.print();
    ExitCode::from(u8::try_from(refusal.exit_code()).unwrap_or(2))
}

/// The error, its causes, and last what to do about it.
fn words(error: &anyhow::Error) -> String {
    let (mut text, mut hints) = (String::new(), String::new());
    for (position, cause) in error.chain().enumerate() {
        let label = if position == 0 { "error" } else { "caused by" };
        let message = cause.to_string();
        let (hint, said): (Vec<&str>, Vec<&str>) = message.lines().partition(|line| line.starts_with("hint: "));
        // Writing into a string can't fail.
        let _ = writeln!(text, "{label}: {}", said.join("\n"));
        hint.iter().for_each(|line| hints.extend([line, "\n"]));
    }
    text + &hints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_come_after_all_causes() {
        let error = anyhow!("port is taken").context("listener can't be opened\nhint: choose another by --listen");
        let expected = "error: listener can't be opened\ncaused by: port is taken\nhint: choose another by --listen\n";
        assert_eq!(words(&error), expected);
    }
}
