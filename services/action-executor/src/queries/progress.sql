UPDATE executor_runs
SET phase = $3, owner = $4, step = $5, in_doubt = $6, attempts = $7, generation = $8, takeovers = $9, due_at = $10,
    behind = $11, reason = $12, steps = $13
WHERE id = $1 AND epoch = $2
