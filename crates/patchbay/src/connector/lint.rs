//! The command `connector lint`.

use std::path::PathBuf;

use patchbay_connector::{Connector, Recording, warnings};

use super::{
    report::{FileReport, Report, counted},
    sources::{self, Source},
};
use crate::failure::Failure;

/// Says what is wrong with manifests and their recorded exchanges, and what is missing. Nothing is replayed.
pub(super) fn lint(paths: &[PathBuf], json: bool, strict: bool) -> Result<(), Failure> {
    let mut report = Report::default();
    for source in sources::find(paths)? {
        lint_one(&source, &mut report)?;
    }
    let (errors, warnings) = (report.errors(), report.warnings());
    let files = counted(report.files.len(), "file");
    let summary = format!("{}, {} in {files}", counted(errors, "error"), counted(warnings, "warning"));
    report.end(json, &summary, errors == 0 && !(strict && warnings > 0))
}

fn lint_one(source: &Source, report: &mut Report) -> Result<(), Failure> {
    let mut recordings: Vec<Recording> = Vec::new();
    let mut files = Vec::new();
    for path in &source.recordings {
        match sources::recording(path)? {
            Ok(recording) => {
                recordings.push(recording);
                files.push(FileReport::new(path));
            }
            Err(errors) => files.push(FileReport::new(path).with_errors(errors)),
        }
    }
    let manifest = FileReport::new(&source.manifest);
    report.files.push(match sources::manifest(&source.manifest)? {
        Err(errors) => manifest.with_errors(errors),
        Ok(parsed) => {
            let warnings = warnings(&parsed, &recordings);
            manifest.with_errors(Connector::compile(parsed).err().unwrap_or_default()).with_warnings(warnings)
        }
    });
    report.files.extend(files);
    Ok(())
}
