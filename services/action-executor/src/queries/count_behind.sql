-- The lines are stepped through by their index, and none is counted beyond what its gate needs to know.
WITH RECURSIVE lines AS (
    SELECT min(behind) AS behind FROM executor_runs WHERE behind IS NOT NULL
    UNION ALL
    SELECT (SELECT min(runs.behind) FROM executor_runs AS runs WHERE runs.behind > lines.behind)
    FROM lines
    WHERE lines.behind IS NOT NULL
)
SELECT lines.behind, (
    SELECT count(*) FROM (SELECT 1 FROM executor_runs WHERE executor_runs.behind = lines.behind LIMIT $1) AS waiting
)
FROM lines
WHERE lines.behind IS NOT NULL
