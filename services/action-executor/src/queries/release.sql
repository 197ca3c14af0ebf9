UPDATE executor_runs
SET phase = 'waiting', epoch = epoch + 1, attempts = 0, takeovers = 0, due_at = $3, behind = NULL,
    attempt = attempt + 1, reason = 'replayed'
WHERE workspace_id = $1 AND id = $2 AND phase = 'outcome_unknown' AND owner IS NULL
