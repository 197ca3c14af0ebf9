SELECT behind, count(*) FROM executor_runs WHERE behind IS NOT NULL GROUP BY behind
