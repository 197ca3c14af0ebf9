SELECT count(*) FROM (SELECT 1 FROM executor_runs WHERE behind = $1 LIMIT $2) AS waiting
