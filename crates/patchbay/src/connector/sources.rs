//! Which files a command looks at, and their text.

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

use anyhow::Context;
use patchbay_connector::{Connector, Manifest, ManifestError, Recording, read_text};

use crate::failure::Failure;

const MANIFEST: &str = "connector.yaml";
const RECORDINGS: &str = "tests";
/// One byte more than a manifest may have, so that a larger one is refused as such.
const MOST_BYTES: u64 = (1 << 20) + 1;

/// One connector on disk.
pub(super) struct Source {
    pub(super) manifest: PathBuf,
    /// Files of recorded exchanges, by name.
    pub(super) recordings: Vec<PathBuf>,
}

/// The connectors behind the paths of a command line, each once.
pub(super) fn find(paths: &[PathBuf]) -> Result<Vec<Source>, Failure> {
    let mut sources: Vec<Source> = Vec::new();
    for path in paths {
        let found = source(path)?;
        match sources.iter_mut().find(|source| source.manifest == found.manifest) {
            Some(source) => {
                source.recordings.extend(found.recordings);
                source.recordings.sort();
                source.recordings.dedup();
            }
            None => sources.push(found),
        }
    }
    Ok(sources)
}

fn source(path: &Path) -> Result<Source, Failure> {
    if path.is_dir() {
        let manifest = path.join(MANIFEST);
        if !manifest.is_file() {
            let hint = format!("hint: a connector's folder holds `{MANIFEST}` and `{RECORDINGS}/`");
            return Err(Failure::usage(format!("folder {} has no {MANIFEST}\n{hint}", path.display())));
        }
        return beside(manifest);
    }
    if !path.is_file() {
        let hint = format!("hint: give a {MANIFEST}, its folder, or one file of its folder `{RECORDINGS}`");
        return Err(Failure::usage(format!("there is no file {}\n{hint}", path.display())));
    }
    let folder = path.parent().unwrap_or_else(|| Path::new(""));
    let manifest = folder.parent().map(|above| above.join(MANIFEST)).filter(|manifest| manifest.is_file());
    match manifest.filter(|_| folder.ends_with(RECORDINGS)) {
        Some(manifest) => Ok(Source { manifest, recordings: vec![path.to_owned()] }),
        None => beside(path.to_owned()),
    }
}

/// A manifest and all recorded exchanges beside it.
fn beside(manifest: PathBuf) -> Result<Source, Failure> {
    let folder = manifest.parent().unwrap_or_else(|| Path::new("")).join(RECORDINGS);
    let mut recordings = Vec::new();
    if folder.is_dir() {
        for entry in fs::read_dir(&folder).with_context(|| unread(&folder))? {
            let path = entry.with_context(|| unread(&folder))?.path();
            if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
                recordings.push(path);
            }
        }
    }
    recordings.sort();
    Ok(Source { manifest, recordings })
}

fn unread(path: &Path) -> String {
    format!("{} can't be read", path.display())
}

/// What is in a file: `Ok(Err(_))` says what is wrong with it.
pub(super) fn manifest(path: &Path) -> Result<Result<Manifest, Vec<ManifestError>>, Failure> {
    parsed(path, Manifest::parse)
}

/// What is in a file of recorded exchanges: `Ok(Err(_))` says what is wrong with it.
pub(super) fn recording(path: &Path) -> Result<Result<Recording, Vec<ManifestError>>, Failure> {
    parsed(path, Recording::parse)
}

/// The connector of a manifest: `Ok(Err(_))` says what is wrong with it.
pub(super) fn connector(path: &Path) -> Result<Result<Connector, Vec<ManifestError>>, Failure> {
    Ok(manifest(path)?.and_then(Connector::compile))
}

fn parsed<T>(
    path: &Path,
    parse: impl Fn(&str, &str) -> Result<T, Vec<ManifestError>>,
) -> Result<Result<T, Vec<ManifestError>>, Failure> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MOST_BYTES).read_to_end(&mut bytes));
    read.with_context(|| unread(path))?;
    let file = path.display().to_string();
    Ok(read_text(&file, &bytes).and_then(|text| parse(&file, text)))
}
