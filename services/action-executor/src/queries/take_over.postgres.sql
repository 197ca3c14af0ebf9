-- The owners are stepped through by their index: there are few, and rows of the living are never looked at.
WITH RECURSIVE owners AS (
    (SELECT owner FROM executor_runs WHERE owner IS NOT NULL ORDER BY owner LIMIT 1)
    UNION ALL
    SELECT (SELECT runs.owner FROM executor_runs AS runs WHERE runs.owner > owners.owner ORDER BY runs.owner LIMIT 1)
    FROM owners
    WHERE owners.owner IS NOT NULL
),
dead AS (
    SELECT owner FROM owners
    WHERE owner IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM executor_incarnations WHERE executor_incarnations.id = owners.owner)
        AND EXISTS (SELECT 1 FROM executor_incarnations WHERE executor_incarnations.id = $1)
)
UPDATE executor_runs
SET owner = $1, epoch = epoch + 1, due_at = NULL, behind = NULL
WHERE id = ANY (ARRAY(
    SELECT runs.id FROM dead
    CROSS JOIN LATERAL (
        SELECT id FROM executor_runs
        WHERE owner = dead.owner
        LIMIT $2
        FOR UPDATE SKIP LOCKED
    ) AS runs
    LIMIT $2
))
RETURNING id, workspace_id, automation_id, version, event_id, phase, epoch, step, in_doubt, attempts, generation, takeovers,
    attempt, started_at, due_at, behind, reason, input, steps
