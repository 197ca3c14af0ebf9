//! Every rule of the format, broken once. The files of `tests/broken/` say in their first lines what must be told about
//! them: `# expect: LINE:COLUMN PATH | MESSAGE | HINT`, one line a mistake.

use std::{fs, path::PathBuf};

use patchbay_connector::{Connector, Manifest, ManifestError};

const EXPECT: &str = "# expect: ";

/// Name and text of each broken manifest.
pub(crate) fn manifests() -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/broken");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut manifests: Vec<_> = paths
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap()))
        .collect();
    manifests.sort();
    manifests
}

fn told(error: &ManifestError) -> String {
    let place = match (error.line, error.column) {
        (Some(line), Some(column)) => format!("{line}:{column}"),
        _ => "-".to_owned(),
    };
    let path = if error.path.is_empty() { "-" } else { &error.path };
    format!("{place} {path} | {} | {}", error.message, error.hint.as_deref().unwrap_or("-"))
}

#[test]
fn each_broken_manifest_is_told_where_what_and_how() {
    let manifests = manifests();
    assert!(manifests.len() >= 40, "{}", manifests.len());
    let mut wrong = String::new();
    for (name, text) in manifests {
        let expected: Vec<_> = text.lines().map_while(|line| line.strip_prefix(EXPECT)).collect();
        let errors = Manifest::parse(&name, &text).and_then(Connector::compile).err().unwrap_or_default();
        let found: Vec<_> = errors.iter().map(told).collect();
        if expected.is_empty() || found != expected {
            wrong.push_str(&format!("{name}\n  expected {expected:#?}\n  found {found:#?}\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
