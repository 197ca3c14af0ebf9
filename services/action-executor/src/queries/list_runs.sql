SELECT * FROM (
    SELECT * FROM (
    SELECT id, workspace_id, automation_id, version, event_id, phase AS status, step, attempts, attempt, started_at,
    0 AS finished_at, due_at, behind, reason, input, steps FROM executor_runs
    WHERE workspace_id = $1
        AND ($2 IS NULL OR id < $2)
        AND ($8 IS NULL OR id >= $8)
        AND ($3 IS NULL OR automation_id = $3)
        AND ($4 IS NULL OR $4 NOT IN ('succeeded', 'failed', 'cancelled'))
        AND ($4 IS NULL OR $4 = CASE phase WHEN 'behind' THEN 'waiting' ELSE phase END)
        AND ($5 IS NULL OR connections LIKE $5)
        AND ($6 IS NULL OR event_id = $6)
    ORDER BY id DESC
    LIMIT $7
    ) AS open_runs
    UNION ALL
    SELECT * FROM (
    SELECT id, workspace_id, automation_id, version, event_id, status, step, 0 AS attempts, attempt, started_at,
    finished_at, NULL AS due_at, NULL AS behind, NULL AS reason, input, steps FROM executor_history
    WHERE workspace_id = $1
        AND ($2 IS NULL OR id < $2)
        AND ($8 IS NULL OR id >= $8)
        AND ($3 IS NULL OR automation_id = $3)
        AND ($4 IS NULL OR $4 IN ('succeeded', 'failed', 'cancelled'))
        AND ($4 IS NULL OR status = $4)
        AND ($5 IS NULL OR connections LIKE $5)
        AND ($6 IS NULL OR event_id = $6)
    ORDER BY id DESC
    LIMIT $7
    ) AS ended_runs
) AS runs
ORDER BY id DESC
LIMIT $7
