DELETE FROM executor_runs
WHERE id = ANY ($1::BYTEA[]) AND epoch = $2
RETURNING id
