SELECT id, workspace_id, automation_id, version, event_id, phase AS status, step, attempts, attempt, started_at,
    0::BIGINT AS finished_at, due_at, behind, reason, input, steps FROM executor_runs
WHERE workspace_id = $1 AND id = $2
UNION ALL
SELECT id, workspace_id, automation_id, version, event_id, status, step, 0::BIGINT AS attempts, attempt, started_at,
    finished_at, NULL::BIGINT AS due_at, NULL::BIGINT AS behind, NULL::TEXT AS reason, input, steps FROM executor_history
WHERE workspace_id = $1 AND id = $2 AND finished_at >= $3
