//! The service between a real broker and database, fake peers, and a partner that behaves as it is told.
#![expect(clippy::unwrap_used, reason = "tests say by panic what went wrong")]

mod becoming;
mod circuits;
mod connections;
mod crashing;
mod deaf;
mod executors;
mod failing;
mod forgetful;
mod house;
mod inputs;
mod keys;
mod letters;
mod partner;
mod peers;
mod people;
mod poison;
mod retention;
mod showing;
mod telling;
mod versions;
mod watched;
