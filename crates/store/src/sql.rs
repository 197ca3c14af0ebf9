//! One text for both engines, or two where they must differ.

use crate::Engine;

/// A statement on both engines.
#[derive(Debug, Clone, Copy)]
pub struct Sql {
    /// The text for SQLite, and for PostgreSQL unless it has its own.
    pub sqlite: &'static str,
    /// The text for PostgreSQL.
    pub postgres: &'static str,
}

impl Sql {
    /// One text for both.
    #[must_use]
    pub const fn both(text: &'static str) -> Self {
        Self { sqlite: text, postgres: text }
    }

    /// Two texts.
    #[must_use]
    pub const fn two(sqlite: &'static str, postgres: &'static str) -> Self {
        Self { sqlite, postgres }
    }

    /// The text for `engine`.
    #[must_use]
    pub const fn on(&self, engine: &Engine) -> &'static str {
        match engine {
            Engine::Postgres(_) => self.postgres,
            Engine::Sqlite(_) => self.sqlite,
        }
    }
}
