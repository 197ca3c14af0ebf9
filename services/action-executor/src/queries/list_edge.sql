SELECT id FROM (
    SELECT * FROM (
        SELECT id FROM executor_runs WHERE workspace_id = $1 AND id < $2 ORDER BY id DESC LIMIT 1 OFFSET $3
    ) AS open_runs
    UNION ALL
    SELECT * FROM (
        SELECT id FROM executor_history WHERE workspace_id = $1 AND id < $2 ORDER BY id DESC LIMIT 1 OFFSET $3
    ) AS ended_runs
) AS edges
ORDER BY id DESC
LIMIT 1
