CREATE TABLE executor_incarnations (
    id BLOB NOT NULL PRIMARY KEY,
    lease_until INTEGER NOT NULL,
    started_at INTEGER NOT NULL
);

CREATE TABLE executor_seen (
    key BLOB NOT NULL PRIMARY KEY,
    run_id BLOB NOT NULL,
    at INTEGER NOT NULL,
    until INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE executor_runs (
    id BLOB NOT NULL PRIMARY KEY,
    workspace_id INTEGER NOT NULL,
    automation_id BLOB NOT NULL,
    version INTEGER NOT NULL,
    event_id TEXT NOT NULL,
    phase TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    owner BLOB,
    step INTEGER NOT NULL,
    in_doubt INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    takeovers INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    due_at INTEGER,
    behind INTEGER,
    reason TEXT,
    connections TEXT NOT NULL,
    input BLOB NOT NULL,
    steps BLOB NOT NULL
) WITHOUT ROWID;

CREATE INDEX executor_runs_due ON executor_runs (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX executor_runs_behind ON executor_runs (behind, id) WHERE behind IS NOT NULL;

CREATE TABLE executor_history (
    id BLOB NOT NULL PRIMARY KEY,
    workspace_id INTEGER NOT NULL,
    automation_id BLOB NOT NULL,
    version INTEGER NOT NULL,
    event_id TEXT NOT NULL,
    status TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    step INTEGER NOT NULL,
    in_doubt INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    finished_at INTEGER NOT NULL,
    connections TEXT NOT NULL,
    input BLOB NOT NULL,
    steps BLOB NOT NULL
);

CREATE INDEX executor_history_automation ON executor_history (automation_id, id);
CREATE INDEX executor_history_troubled ON executor_history (workspace_id, status, id) WHERE status <> 'succeeded';

CREATE TABLE executor_finished (
    id BLOB NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    runs BLOB NOT NULL
);

CREATE TABLE executor_dead_letters (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    workspace_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    error TEXT NOT NULL,
    run_id BLOB,
    source_id BLOB,
    event_id TEXT NOT NULL,
    original BLOB,
    at INTEGER NOT NULL
);

CREATE INDEX executor_dead_letters_workspace ON executor_dead_letters (workspace_id, id);
CREATE INDEX executor_dead_letters_run ON executor_dead_letters (run_id) WHERE run_id IS NOT NULL;
