//! YAML as people write it, read within limits that no honest file comes near.

use serde::de::DeserializeOwned;
use serde_saphyr::Options;

use super::{ManifestError, position::Positions};

/// The largest file that is read.
pub(crate) const MAX_BYTES: usize = 1 << 20;
/// Lists and maps inside each other.
pub(crate) const MAX_DEPTH: usize = 40;
/// Values of a file, those that aliases repeat among them.
pub(crate) const MAX_NODES: usize = 100_000;

/// The text of a file.
///
/// # Errors
/// When the bytes are no UTF-8, with the place of the first that is none.
pub fn read_text<'bytes>(file: &str, bytes: &'bytes [u8]) -> Result<&'bytes str, Vec<ManifestError>> {
    std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |position| position + 1);
        let lines = before.iter().filter(|byte| **byte == b'\n').count();
        let column = String::from_utf8_lossy(&before[line_start..]).chars().count();
        vec![ManifestError {
            file: file.to_owned(),
            line: u64::try_from(lines + 1).ok(),
            column: u64::try_from(column + 1).ok(),
            path: String::new(),
            message: "the text is not UTF-8".to_owned(),
            hint: Some("save the file as UTF-8".to_owned()),
        }]
    })
}

/// Reads one document of a known shape, with the place of everything in it.
pub(crate) fn read<T: DeserializeOwned>(file: &str, text: &str) -> Result<(T, Positions), Vec<ManifestError>> {
    if text.len() > MAX_BYTES {
        let message = format!("the file is larger than {MAX_BYTES} bytes");
        return Err(vec![ManifestError { message, ..ManifestError::from_nowhere(file) }]);
    }
    let positions =
        Positions::read(text, options()).map_err(|error| vec![ManifestError::from_yaml(file, "", &error)])?;
    let mut path = String::new();
    let document = serde_saphyr::with_deserializer_from_str_with_options(text, options(), |deserializer| {
        serde_path_to_error::deserialize::<_, T>(deserializer).map_err(|error| {
            path = error.path().to_string();
            error.into_inner()
        })
    });
    match document {
        Ok(document) => Ok((document, positions)),
        Err(error) => {
            let path = if path == "." { "" } else { &path };
            Err(vec![ManifestError::from_yaml(file, path, &error).or_at(positions.find(path))])
        }
    }
}

fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_nodes: MAX_NODES,
            max_events: MAX_NODES * 3,
            max_recorded_anchor_events: MAX_NODES * 3,
            max_documents: 1,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: MAX_NODES,
            max_replay_stack_depth: 16,
        },
        with_snippet: false,
        // `off`, `no` and `y` are words, as YAML 1.2 has it.
        strict_booleans: true,
    }
}
