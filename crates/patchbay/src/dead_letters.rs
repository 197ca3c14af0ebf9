//! The commands `deadletters`.

use std::fmt::Write;

use patchbay_gateway::view;
use patchbay_proto::executor::v1::{DeadLetterDetail, DeadLetterEntry, DeadLetterRequest, ListDeadLettersRequest};
use patchbay_types::{RunId, Timestamp, WorkspaceId};
use serde::Serialize;
use serde_json::json;

use crate::{
    cli::{self, DeadLettersCommand},
    desk::{Desk, at, first, said},
    failure::Failure,
    output::{self, plain},
};

/// The workspace of messages that belong to nobody, since nobody can read them.
const NOBODY: WorkspaceId = WorkspaceId::new(0);

/// A dead letter with the workspace that it belongs to.
#[derive(Serialize)]
struct Shown<T> {
    workspace_id: i64,
    #[serde(flatten)]
    letter: T,
}

#[derive(Clone, Copy)]
enum Verb {
    Replay,
    Drop,
}

pub(crate) fn run(command: DeadLettersCommand) -> Result<(), Failure> {
    match command {
        DeadLettersCommand::List { limit, desk } => list(limit, &desk),
        DeadLettersCommand::Show { id, desk } => show(id, &desk),
        DeadLettersCommand::Replay { id, desk } => change(&id, Verb::Replay, &desk),
        DeadLettersCommand::Drop { id, desk } => change(&id, Verb::Drop, &desk),
    }
}

fn list(limit: i64, options: &cli::Desk) -> Result<(), Failure> {
    let letters = at(options, async |desk| {
        let mut letters = Vec::new();
        for workspace in workspaces(desk, options) {
            let request = ListDeadLettersRequest { workspace_id: workspace.get(), limit, before_id: 0 };
            letters.extend(desk.desk.list_dead_letters(&request).await.map_err(said)?.dead_letters);
        }
        letters.sort_by_key(|letter| std::cmp::Reverse(letter.id));
        letters.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(letters)
    })?;
    if options.json {
        let items: Vec<_> = letters.into_iter().map(shown).collect();
        return output::print_json(&json!({ "items": items }));
    }
    if letters.is_empty() {
        return output::print("no dead letters\n");
    }
    let rows: Vec<_> = letters.iter().map(row).collect();
    output::print(&output::table(["ID", "KIND", "REASON", "AT", "EVENT OR RUN", "ERROR"], &rows))
}

fn show(id: i64, options: &cli::Desk) -> Result<(), Failure> {
    let detail = at(options, async |desk| {
        first(workspaces(desk, options), async |workspace| desk.desk.get_dead_letter(&named(workspace, id)).await).await
    })?;
    if options.json {
        let workspace_id = detail.entry.as_ref().map_or(0, |entry| entry.workspace_id);
        return output::print_json(&Shown { workspace_id, letter: view::dead_letter_detail(detail) });
    }
    output::print(&described(&detail))
}

fn change(ids: &[i64], verb: Verb, options: &cli::Desk) -> Result<(), Failure> {
    let mut changed = Vec::new();
    let outcome = at(options, async |desk| {
        for id in ids {
            let done = first(workspaces(desk, options), async |workspace| {
                let request = named(workspace, *id);
                match verb {
                    Verb::Replay => desk.desk.replay_dead_letter(&request).await.map(drop),
                    Verb::Drop => desk.desk.drop_dead_letter(&request).await,
                }
            });
            done.await.map_err(|error| error.context(format!("dead letter {id}")))?;
            changed.push(*id);
        }
        Ok(())
    });
    let word = match verb {
        Verb::Replay => "replayed",
        Verb::Drop => "dropped",
    };
    // Those before a refused one have changed, and are said.
    if options.json {
        output::print_json(&json!({ word: changed }))?;
    } else {
        output::print(&changed.iter().map(|id| format!("{id} {word}\n")).collect::<String>())?;
    }
    outcome
}

/// Those that were asked for; when none was named, also what belongs to nobody.
fn workspaces(desk: &Desk, options: &cli::Desk) -> Vec<WorkspaceId> {
    let nobody = options.workspace.is_none().then_some(NOBODY);
    desk.workspaces.iter().copied().chain(nobody).collect()
}

fn named(workspace: WorkspaceId, id: i64) -> DeadLetterRequest {
    DeadLetterRequest { workspace_id: workspace.get(), id }
}

fn shown(entry: DeadLetterEntry) -> Shown<view::ShownDeadLetter> {
    Shown { workspace_id: entry.workspace_id, letter: view::dead_letter(entry) }
}

fn row(letter: &DeadLetterEntry) -> [String; 6] {
    let about = RunId::from_slice(&letter.run_id).map_or_else(|_| plain(&letter.event_id, 36), |id| id.to_string());
    [
        letter.id.to_string(),
        letter.kind.clone(),
        letter.reason.clone(),
        Timestamp::from_micros(letter.at).to_string(),
        about,
        plain(&letter.error, 80),
    ]
}

fn described(detail: &DeadLetterDetail) -> String {
    let mut text = String::new();
    let Some(entry) = &detail.entry else { return text };
    // Writing into a string can't fail.
    let _ = writeln!(text, "dead letter  {} of a {}", entry.id, entry.kind);
    let _ = writeln!(text, "workspace    {}", entry.workspace_id);
    let _ = writeln!(text, "reason       {}", entry.reason);
    let _ = writeln!(text, "error        {}", plain(&entry.error, 500));
    let _ = writeln!(text, "at           {}", Timestamp::from_micros(entry.at));
    let _ = writeln!(text, "event        {}", plain(&entry.event_id, 200));
    if let Ok(run) = RunId::from_slice(&entry.run_id) {
        let _ = writeln!(text, "run          {run}");
    }
    if !detail.topic.is_empty() {
        let _ = writeln!(text, "topic        {}", detail.topic);
        let _ = writeln!(text, "bytes        {}", detail.original.len());
    }
    if !detail.payload.is_empty() {
        let _ = writeln!(text, "data         {}", plain(&String::from_utf8_lossy(&detail.payload), 4_000));
    }
    text
}
