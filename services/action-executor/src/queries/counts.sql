SELECT
    (SELECT count(*) FROM (SELECT 1 FROM executor_runs LIMIT 10000) AS some_runs),
    (SELECT started_at FROM executor_runs ORDER BY id LIMIT 1)
