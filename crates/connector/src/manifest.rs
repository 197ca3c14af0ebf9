//! A manifest as it is written, with the place of everything in it.

pub(crate) mod document;
mod error;
mod position;

pub(crate) use error::closest;
pub use error::ManifestError;

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
        let positions = Positions::read(text).map_err(|error| vec![ManifestError::from_yaml(file_name, "", &error)])?;
        let document = serde_saphyr::with_deserializer_from_str(text, |deserializer| {
            Ok(serde_path_to_error::deserialize::<_, Document>(deserializer))
        });
        match document {
            Ok(Ok(document)) => Ok(Self { document, file: file_name.to_owned(), positions }),
            Ok(Err(error)) => {
                let path = error.path().to_string();
                let path = if path == "." { String::new() } else { path };
                Err(vec![ManifestError::from_yaml(file_name, &path, error.inner()).or_at(positions.find(&path))])
            }
            Err(error) => Err(vec![ManifestError::from_yaml(file_name, "", &error)]),
        }
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
