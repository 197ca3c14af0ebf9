INSERT INTO executor_runs (
    id, workspace_id, automation_id, version, event_id, phase, epoch, owner, step, in_doubt, attempts, generation,
    takeovers, attempt, started_at, due_at, behind, reason, connections, input, steps
)
SELECT
    id, workspace_id, automation_id, version, event_id, 'waiting', epoch + 1, NULL, step, in_doubt, 0, generation,
    0, attempt + 1, started_at, $3, NULL, 'replayed', connections, input, steps
FROM executor_history
WHERE workspace_id = $1 AND id = $2 AND status IN ('failed', 'cancelled') AND finished_at >= $4
ON CONFLICT (id) DO NOTHING
