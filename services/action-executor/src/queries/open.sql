INSERT INTO executor_runs (
    id, workspace_id, automation_id, version, event_id, phase, epoch, owner, step, in_doubt, attempts, generation,
    takeovers, attempt, started_at, due_at, behind, reason, connections, input, steps
)
VALUES /*rows*/
ON CONFLICT (id) DO NOTHING
