WITH closed AS (
    DELETE FROM executor_runs
    WHERE workspace_id = $1 AND id = $2 AND owner IS NULL
    RETURNING *
),
kept AS (
    INSERT INTO executor_history (
        id, workspace_id, automation_id, version, event_id, status, epoch, step, in_doubt, generation, attempt,
        started_at, finished_at, connections, input, steps
    )
    SELECT
        id, workspace_id, automation_id, version, event_id, 'cancelled', epoch + 1, step, in_doubt, generation, attempt,
        started_at, $3, connections, input, steps
    FROM closed
)
SELECT automation_id, version, event_id, started_at, epoch FROM closed
