DELETE FROM executor_runs
WHERE id IN (VALUES /*rows*/) AND epoch = ?
