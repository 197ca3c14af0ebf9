//! What is said on standard output.

use std::io::{self, Write};

use anyhow::Context;

use crate::failure::Failure;

/// Prints `text`, which ends with a line break, at once.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut output = io::stdout().lock();
    let printed = output.write_all(text.as_bytes()).and_then(|()| output.flush());
    Ok(printed.context("standard output can't be written")?)
}
