//! The commands `runs`.

use std::fmt::Write;

use anyhow::anyhow;
use patchbay_gateway::view;
use patchbay_proto::executor::v1::{ListRunsRequest, Run, RunRequest, Step};
use patchbay_types::{AutomationId, RunId, Timestamp};
use serde::Serialize;

use crate::{
    cli::{self, RunFilter, RunsCommand},
    desk::{Desk, at, first, said},
    failure::Failure,
    output::{self, plain},
};

/// The longest text of others in a line of the list.
const SHORT: usize = 80;

/// A run with the workspace that it belongs to.
#[derive(Serialize)]
struct Shown {
    workspace_id: i64,
    #[serde(flatten)]
    run: view::ShownRun,
}

#[derive(Serialize)]
struct Listed {
    items: Vec<Shown>,
}

#[derive(Clone, Copy)]
enum Verb {
    Replay,
    Cancel,
}

pub(crate) fn run(command: RunsCommand) -> Result<(), Failure> {
    match command {
        RunsCommand::List { filter, desk } => list(&filter, &desk),
        RunsCommand::Show { run, desk } => show(run, &desk),
        RunsCommand::Replay { run, desk } => change(&run, Verb::Replay, &desk),
        RunsCommand::Cancel { run, desk } => change(&run, Verb::Cancel, &desk),
    }
}

fn list(filter: &RunFilter, options: &cli::Desk) -> Result<(), Failure> {
    let runs = at(options, async |desk| gather(desk, filter).await)?;
    if options.json {
        let items = runs.into_iter().map(shown).collect::<Result<_, _>>()?;
        return output::print_json(&Listed { items });
    }
    if runs.is_empty() {
        return output::print("no runs\n");
    }
    let rows: Vec<_> = runs.iter().map(row).collect();
    output::print(&output::table(["RUN", "STATUS", "STARTED", "TOOK", "EVENT", "LAST STEP"], &rows))
}

/// The newest runs of all workspaces together: ids are ordered by time.
async fn gather(desk: &Desk, filter: &RunFilter) -> anyhow::Result<Vec<Run>> {
    let mut runs = Vec::new();
    for workspace in &desk.workspaces {
        let request = ListRunsRequest {
            workspace_id: workspace.get(),
            limit: filter.limit,
            before_id: bytes::Bytes::new(),
            automation_id: filter.automation.map(|id| id.as_bytes().to_vec()).unwrap_or_default().into(),
            status: filter.status.clone().unwrap_or_default(),
            connection_id: filter.connection.map_or(0, |id| id.get()),
            event_id: filter.event.clone().unwrap_or_default(),
        };
        runs.extend(desk.desk.list_runs(&request).await.map_err(said)?.runs);
    }
    runs.sort_by(|one, other| other.id.cmp(&one.id));
    runs.truncate(usize::try_from(filter.limit).unwrap_or(usize::MAX));
    Ok(runs)
}

fn show(id: Option<RunId>, options: &cli::Desk) -> Result<(), Failure> {
    let run = at(options, async |desk| {
        let Some(id) = id else {
            let newest = gather(desk, &RunFilter { limit: 1, ..RunFilter::default() }).await?;
            return newest.into_iter().next().ok_or_else(|| anyhow!("there are no runs yet"));
        };
        let workspaces = desk.workspaces.iter().copied();
        first(workspaces, async |workspace| desk.desk.get_run(&named(workspace.get(), id)).await).await
    })?;
    if options.json {
        return output::print_json(&shown(run)?);
    }
    output::print(&described(&run))
}

fn change(ids: &[RunId], verb: Verb, options: &cli::Desk) -> Result<(), Failure> {
    let mut changed = Vec::new();
    let outcome = at(options, async |desk| {
        for id in ids {
            let workspaces = desk.workspaces.iter().copied();
            let run = first(workspaces, async |workspace| {
                let request = named(workspace.get(), *id);
                match verb {
                    Verb::Replay => desk.desk.replay_run(&request).await,
                    Verb::Cancel => desk.desk.cancel_run(&request).await,
                }
            });
            changed.push(run.await.map_err(|error| error.context(format!("run {id}")))?);
        }
        Ok(())
    });
    // Those before a refused one have changed, and are said.
    if options.json {
        let items = changed.into_iter().map(shown).collect::<Result<_, _>>()?;
        output::print_json(&Listed { items })?;
    } else {
        let line = |run: &Run| format!("{} {}\n", run_id(run), run.status);
        output::print(&changed.iter().map(line).collect::<String>())?;
    }
    outcome
}

fn named(workspace_id: i64, id: RunId) -> RunRequest {
    RunRequest { workspace_id, id: id.as_bytes().to_vec().into() }
}

fn shown(run: Run) -> anyhow::Result<Shown> {
    Ok(Shown { workspace_id: run.workspace_id, run: view::run(run)? })
}

fn row(run: &Run) -> [String; 6] {
    let last = run.steps.last();
    let last = last.map(|step| match &step.error {
        Some(error) => format!("{} {}: {}", step.key, step.status, error.message),
        None => format!("{} {}", step.key, step.status),
    });
    let started = Timestamp::from_micros(run.started_at);
    [
        run_id(run),
        run.status.clone(),
        started.to_string(),
        took(run),
        plain(&run.event_id, 32),
        plain(&last.unwrap_or_default(), SHORT),
    ]
}

fn run_id(run: &Run) -> String {
    RunId::from_slice(&run.id).map(|id| id.to_string()).unwrap_or_default()
}

fn took(run: &Run) -> String {
    if run.finished_at == 0 {
        return "-".to_owned();
    }
    let took = Timestamp::from_micros(run.finished_at).since(Timestamp::from_micros(run.started_at));
    format!("{:.3} s", took.as_secs_f64())
}

fn described(run: &Run) -> String {
    let automation = AutomationId::from_slice(&run.automation_id).map(|id| id.to_string()).unwrap_or_default();
    let mut text = String::new();
    // Writing into a string can't fail.
    let _ = writeln!(text, "run         {}", run_id(run));
    let _ = writeln!(text, "status      {}", run.status);
    if let Some(waiting) = &run.waiting {
        let until = match waiting.until {
            0 => String::new(),
            until => format!(" until {}", Timestamp::from_micros(until)),
        };
        let _ = writeln!(text, "waits for   {}{until} {}", waiting.r#for, plain(&waiting.reason, SHORT));
    }
    let _ = writeln!(text, "workspace   {}", run.workspace_id);
    let _ = writeln!(text, "automation  {automation} version {}", run.version);
    let _ = writeln!(text, "event       {}", plain(&run.event_id, SHORT));
    let _ = writeln!(text, "started     {}", Timestamp::from_micros(run.started_at));
    let _ = writeln!(text, "took        {}", took(run));
    let _ = writeln!(text, "attempt     {}", run.attempt);
    let _ = writeln!(text, "trigger     {}", json(&run.trigger));
    for step in &run.steps {
        describe(&mut text, step);
    }
    text
}

fn describe(text: &mut String, step: &Step) {
    let attempts = if step.attempts == 1 { "attempt" } else { "attempts" };
    let _ =
        writeln!(text, "\nstep {}: {} {} after {} {attempts}", step.key, step.operation, step.status, step.attempts);
    for (name, value) in [("input", &step.input), ("output", &step.output)] {
        if !value.is_empty() {
            let _ = writeln!(text, "  {name:<8}{}", json(value));
        }
    }
    if let Some(error) = &step.error {
        let status = error.partner_status.map(|status| format!(" (HTTP {status})")).unwrap_or_default();
        let _ = writeln!(text, "  error   {}: {}{status}", error.class, plain(&error.message, 500));
    }
}

/// JSON text escapes what a terminal would act on, but for the characters above ASCII.
fn json(bytes: &[u8]) -> String {
    plain(&String::from_utf8_lossy(bytes), 4_000)
}
