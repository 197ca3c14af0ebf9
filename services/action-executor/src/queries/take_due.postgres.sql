UPDATE executor_runs
SET owner = $1, epoch = epoch + 1, due_at = NULL, behind = NULL
WHERE id = ANY (ARRAY(
    SELECT id FROM executor_runs
    WHERE due_at <= (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::BIGINT)
        AND EXISTS (SELECT 1 FROM executor_incarnations WHERE executor_incarnations.id = $1)
    ORDER BY due_at
    LIMIT $3
    FOR UPDATE OF executor_runs SKIP LOCKED
))
RETURNING id, workspace_id, automation_id, version, event_id, phase, epoch, step, in_doubt, attempts, generation, takeovers,
    attempt, started_at, due_at, behind, reason, input, steps
