UPDATE executor_runs
SET owner = $1, epoch = epoch + 1, due_at = NULL, behind = NULL
WHERE id IN (
    SELECT id FROM executor_runs
    WHERE owner IS NOT NULL
        AND owner NOT IN (SELECT id FROM executor_incarnations WHERE lease_until > $2)
    ORDER BY id
    LIMIT $3
    FOR UPDATE SKIP LOCKED
)
RETURNING id, workspace_id, automation_id, version, event_id, phase, epoch, step, in_doubt, attempts, generation, takeovers,
    attempt, started_at, due_at, behind, reason, input, steps
