INSERT INTO executor_dead_letters (key, workspace_id, kind, reason, error, run_id, source_id, event_id, original, at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (key) WHERE key IS NOT NULL DO NOTHING
