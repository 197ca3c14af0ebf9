//! The commands `connector lint`, `connector test` and `connector schema`.

mod lint;
mod report;
mod sources;
mod test;

use anyhow::Context;

use crate::{cli::ConnectorCommand, failure::Failure, output};

pub(crate) fn run(command: ConnectorCommand) -> Result<(), Failure> {
    match command {
        ConnectorCommand::Lint { files, json, strict } => lint::lint(&files, json, strict),
        ConnectorCommand::Test { files, json } => test::test(&files, json),
        ConnectorCommand::Schema => {
            let schema = serde_json::to_string_pretty(&patchbay_connector::json_schema());
            output::print(&format!("{}\n", schema.context("the schema can't be written as JSON")?))
        }
    }
}
