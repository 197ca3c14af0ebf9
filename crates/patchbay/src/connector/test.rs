//! The command `connector test`.

use std::path::PathBuf;

use patchbay_connector::{Connector, ManifestError};

use super::{
    report::{FileReport, Report, counted},
    sources::{self, Source},
};
use crate::failure::Failure;

/// Replays the recorded exchanges of connectors, without a network.
pub(super) fn test(paths: &[PathBuf], json: bool) -> Result<(), Failure> {
    let mut report = Report::default();
    for source in sources::find(paths)? {
        test_one(&source, &mut report)?;
    }
    let errors = report.errors();
    let (cases, files) = (counted(report.cases(), "case"), counted(report.files.len(), "file"));
    let summary = match errors {
        0 => format!("{cases} in {files}, all as recorded"),
        errors => format!("{cases} in {files}, {}", counted(errors, "error")),
    };
    report.end(json, &summary, errors == 0)
}

fn test_one(source: &Source, report: &mut Report) -> Result<(), Failure> {
    let connector: Connector = match sources::connector(&source.manifest)? {
        Ok(connector) => connector,
        Err(errors) => {
            report.files.push(FileReport::new(&source.manifest).with_errors(errors));
            return Ok(());
        }
    };
    if source.recordings.is_empty() {
        let nothing = nothing_recorded(&source.manifest.display().to_string());
        report.files.push(FileReport::new(&source.manifest).with_errors(vec![nothing]));
    }
    for path in &source.recordings {
        let file = FileReport::new(path);
        let replayed = sources::recording(path)?.and_then(|recording| recording.replay(&connector));
        report.files.push(match replayed {
            Ok(cases) => file.with_cases(cases),
            Err(errors) => file.with_errors(errors),
        });
    }
    Ok(())
}

fn nothing_recorded(file: &str) -> ManifestError {
    ManifestError {
        file: file.to_owned(),
        line: None,
        column: None,
        path: String::new(),
        message: "there are no recorded exchanges to replay".to_owned(),
        hint: Some("record some in the folder `tests` beside the manifest, as files `*.yaml`".to_owned()),
    }
}
