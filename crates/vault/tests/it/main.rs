//! Sealing, opening, and the key file.

#![expect(clippy::unwrap_used, reason = "a helper that can not go on fails its test")]

mod key_file;
mod sealing;
