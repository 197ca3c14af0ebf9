UPDATE executor_runs
SET owner = $1, epoch = epoch + 1, due_at = NULL, behind = NULL
WHERE id IN (
    SELECT id FROM executor_runs
    WHERE owner IS NOT NULL
        AND owner NOT IN (SELECT id FROM executor_incarnations)
    ORDER BY id
    LIMIT $2
)
RETURNING id, workspace_id, automation_id, version, event_id, phase, epoch, step, in_doubt, attempts, generation, takeovers,
    attempt, started_at, due_at, behind, reason, input, steps
