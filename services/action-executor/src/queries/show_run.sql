SELECT id, workspace_id, automation_id, version, event_id, phase AS status, step, attempts, attempt, started_at,
    0 AS finished_at, due_at, behind, reason, input, steps FROM executor_runs
WHERE workspace_id = $1 AND id = $2
UNION ALL
SELECT id, workspace_id, automation_id, version, event_id, status, step, 0 AS attempts, attempt, started_at,
    finished_at, NULL AS due_at, NULL AS behind, NULL AS reason, input, steps FROM executor_history
WHERE workspace_id = $1 AND id = $2 AND finished_at >= $3
