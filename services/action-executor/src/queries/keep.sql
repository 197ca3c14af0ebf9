INSERT INTO executor_history (
    id, workspace_id, automation_id, version, event_id, status, epoch, step, in_doubt, generation, attempt, started_at,
    finished_at, connections, input, steps
)
VALUES /*rows*/
ON CONFLICT (id) DO NOTHING
