//! A manifest as it is written, with the place of everything in it.

pub(crate) mod document;
mod error;
pub(crate) mod position;
pub(crate) mod yaml;

pub use error::ManifestError;
pub(crate) use error::{closest, listed, there_are};
pub use yaml::read_text;

use document::Document;
use position::Positions;

/// The value of `schema` that this interpreter reads.
pub(crate) const SCHEMA: &str = "patchbay.connector/v1";

/// A manifest that has the right shape. Whether it makes sense says [`Connector::compile`](crate::Connector::compile).
#[derive(Debug)]
pub struct Manifest {
    pub(crate) document: Document,
    file: String,
    positions: Positions,
}

impl Manifest {
    /// Reads the YAML text of a manifest.
    ///
    /// # Errors
    /// What is no YAML, is unknown, missing or of the wrong type, with its place. Reading stops at the first.
    pub fn parse(file_name: &str, text: &str) -> Result<Self, Vec<ManifestError>> {
        let (document, positions) = yaml::read(file_name, text)?;
        Ok(Self { document, file: file_name.to_owned(), positions })
    }

    /// An error about the value at this path.
    pub(crate) fn error(&self, path: &str, message: impl Into<String>) -> ManifestError {
        ManifestError {
            file: self.file.clone(),
            line: None,
            column: None,
            path: path.to_owned(),
            message: message.into(),
            hint: None,
        }
        .or_at(self.positions.find(path))
    }
}
