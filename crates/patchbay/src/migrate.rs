//! The command `migrate`.

use anyhow::{Context, anyhow};
use patchbay_store::{Applied, Engine, Schema};
use serde_json::json;

use crate::{cli::Migrate, config::Config, database, failure::Failure, output};

/// Brings the tables of all services up to date, or says what is missing.
pub(crate) fn run(options: &Migrate) -> Result<(), Failure> {
    let config = Config::load(&options.sources)?;
    if options.check { check(&config, options.json) } else { apply(&config, options.json) }
}

fn apply(config: &Config, json: bool) -> Result<(), Failure> {
    let applied = database::on_with(config, Schema::Migrate, async |engine| {
        let before = engine.applied().await.context("database can't be read")?;
        for (service, outcome) in all(engine).await {
            outcome.with_context(|| format!("tables of {service} can't be brought up to date"))?;
        }
        let mut after = engine.applied().await.context("database can't be read")?;
        after.retain(|step| !before.contains(step));
        Ok(after)
    })?;
    if json {
        let step = |step: &Applied| json!({ "service": step.service, "number": step.number, "name": step.name });
        return output::print_json(&json!({ "applied": applied.iter().map(step).collect::<Vec<_>>() }));
    }
    if applied.is_empty() {
        return output::print("nothing to do: all tables are up to date\n");
    }
    let line = |step: &Applied| format!("applied {} {} ({})\n", step.service, step.number, step.name);
    output::print(&applied.iter().map(line).collect::<String>())
}

fn check(config: &Config, json: bool) -> Result<(), Failure> {
    database::must_exist(config)?;
    let missing = database::on_with(config, Schema::Check, async |engine| {
        let mut missing = Vec::new();
        for (_, outcome) in all(engine).await {
            match outcome {
                Ok(()) => {}
                Err(error) => missing.push(reason(error)?),
            }
        }
        Ok(missing)
    })?;
    if json {
        output::print_json(&json!({ "up_to_date": missing.is_empty(), "missing": missing }))?;
    }
    if !missing.is_empty() {
        return Err(anyhow!("{}", missing.join("\n")).into());
    }
    if json { Ok(()) } else { output::print("all tables are up to date\n") }
}

/// What is wrong with the tables of a service; an error when that can't be told.
fn reason(error: anyhow::Error) -> anyhow::Result<String> {
    let schema = error.chain().find_map(|cause| match cause.downcast_ref::<patchbay_store::Error>() {
        Some(schema @ patchbay_store::Error::Schema { .. }) => Some(schema.to_string()),
        _ => None,
    });
    schema.ok_or(error)
}

/// What becomes of the tables of each service.
async fn all(engine: &Engine) -> Vec<(&'static str, anyhow::Result<()>)> {
    vec![
        ("connection", patchbay_connection::migrate(engine).await.map_err(Into::into)),
        ("automation", patchbay_automation::migrate(engine).await.map_err(Into::into)),
        ("catalog", patchbay_catalog::migrate(engine).await.map_err(Into::into)),
        ("action-executor", patchbay_action_executor::migrate(engine).await.map_err(Into::into)),
        ("gateway", patchbay_gateway::migrate(engine).await.map_err(Into::into)),
    ]
}
