ALTER TABLE executor_dead_letters ADD COLUMN key BYTEA;

CREATE UNIQUE INDEX executor_dead_letters_key ON executor_dead_letters (key) WHERE key IS NOT NULL;

-- History has a partition for each day. One for all the rest would stand in the way of taking a day off without waiting
-- for anybody: what it holds is kept in partitions of its days.
ALTER TABLE executor_history DETACH PARTITION executor_history_other;

DO $$
DECLARE
    day BIGINT;
BEGIN
    FOR day IN SELECT DISTINCT finished_at / 86400000000 FROM executor_history_other LOOP
        EXECUTE format(
            'CREATE TABLE %I PARTITION OF executor_history FOR VALUES FROM (%s) TO (%s)',
            'executor_history_' || to_char(to_timestamp(day * 86400) AT TIME ZONE 'UTC', 'YYYYMMDD'),
            day * 86400000000, (day + 1) * 86400000000
        );
    END LOOP;
END
$$;

INSERT INTO executor_history (
    id, workspace_id, automation_id, version, event_id, status, epoch, step, in_doubt, generation, attempt, started_at,
    finished_at, connections, input, steps
)
SELECT
    id, workspace_id, automation_id, version, event_id, status, epoch, step, in_doubt, generation, attempt, started_at,
    finished_at, connections, input, steps
FROM executor_history_other;

DROP TABLE executor_history_other;

CREATE INDEX executor_runs_owner ON executor_runs (owner) WHERE owner IS NOT NULL;
CREATE INDEX executor_runs_workspace ON executor_runs (workspace_id, id);
CREATE INDEX executor_history_workspace ON executor_history (workspace_id, id);

-- Open runs and what is to be told come and go all the time: their dead rows are cleared away early and at full speed.
-- A page has room for a new version of its rows, which then needs no new entries in the indexes.
ALTER TABLE executor_runs SET (
    fillfactor = 80,
    autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_cost_delay = 0,
    toast.autovacuum_vacuum_threshold = 5000,
    toast.autovacuum_vacuum_scale_factor = 0.02,
    toast.autovacuum_vacuum_cost_delay = 0
);
ALTER TABLE executor_finished SET (
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_cost_delay = 0,
    toast.autovacuum_vacuum_threshold = 1000,
    toast.autovacuum_vacuum_scale_factor = 0,
    toast.autovacuum_vacuum_cost_delay = 0
);
ALTER TABLE executor_seen SET (
    fillfactor = 90,
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_vacuum_cost_delay = 0,
    autovacuum_vacuum_insert_scale_factor = 0.2
);

-- They are compressed before they come.
ALTER TABLE executor_runs ALTER COLUMN input SET STORAGE EXTERNAL, ALTER COLUMN steps SET STORAGE EXTERNAL;
ALTER TABLE executor_history ALTER COLUMN input SET STORAGE EXTERNAL, ALTER COLUMN steps SET STORAGE EXTERNAL;
