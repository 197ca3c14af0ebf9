DELETE FROM executor_runs
WHERE id IN (/*rows*/) AND epoch = ?
RETURNING id
