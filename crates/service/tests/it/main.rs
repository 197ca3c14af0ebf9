//! What services share, used as they use it.
#![expect(clippy::unwrap_used, reason = "tests say by panic what went wrong")]

mod access;
mod authority;
mod credentials;
mod deadlines;
mod gate;
mod mutual_tls;
mod owner;
mod process;
mod reach;
mod repeats;
