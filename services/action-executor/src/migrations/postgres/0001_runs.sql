CREATE TABLE executor_incarnations (
    id BYTEA NOT NULL PRIMARY KEY,
    lease_until BIGINT NOT NULL,
    started_at BIGINT NOT NULL
);

CREATE TABLE executor_seen (
    key BYTEA NOT NULL PRIMARY KEY,
    run_id BYTEA NOT NULL,
    at BIGINT NOT NULL,
    until BIGINT NOT NULL
);

CREATE TABLE executor_runs (
    id BYTEA NOT NULL PRIMARY KEY,
    workspace_id BIGINT NOT NULL,
    automation_id BYTEA NOT NULL,
    version BIGINT NOT NULL,
    event_id TEXT NOT NULL,
    phase TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    owner BYTEA,
    step BIGINT NOT NULL,
    in_doubt BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    takeovers BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    due_at BIGINT,
    behind BIGINT,
    reason TEXT,
    connections TEXT NOT NULL,
    input BYTEA NOT NULL,
    steps BYTEA NOT NULL
);

CREATE INDEX executor_runs_due ON executor_runs (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX executor_runs_behind ON executor_runs (behind, id) WHERE behind IS NOT NULL;

CREATE TABLE executor_history (
    id BYTEA NOT NULL,
    workspace_id BIGINT NOT NULL,
    automation_id BYTEA NOT NULL,
    version BIGINT NOT NULL,
    event_id TEXT NOT NULL,
    status TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    step BIGINT NOT NULL,
    in_doubt BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    finished_at BIGINT NOT NULL,
    connections TEXT NOT NULL,
    input BYTEA NOT NULL,
    steps BYTEA NOT NULL,
    PRIMARY KEY (id, finished_at)
) PARTITION BY RANGE (finished_at);

CREATE TABLE executor_history_other PARTITION OF executor_history DEFAULT;

CREATE INDEX executor_history_automation ON executor_history (automation_id, id);
CREATE INDEX executor_history_troubled ON executor_history (workspace_id, status, id) WHERE status <> 'succeeded';

CREATE TABLE executor_finished (
    id BYTEA NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    runs BYTEA NOT NULL
);

CREATE TABLE executor_dead_letters (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    error TEXT NOT NULL,
    run_id BYTEA,
    source_id BYTEA,
    event_id TEXT NOT NULL,
    original BYTEA,
    at BIGINT NOT NULL
);

CREATE INDEX executor_dead_letters_workspace ON executor_dead_letters (workspace_id, id);
CREATE INDEX executor_dead_letters_run ON executor_dead_letters (run_id) WHERE run_id IS NOT NULL;
