//! The engine over whole histories: crashes between effects, partners of all manners, people who decide.

#![expect(clippy::unwrap_used, reason = "tests")]

mod histories;
mod partner;
mod rules;
mod script;
mod world;
