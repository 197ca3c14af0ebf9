SELECT id, 0 AS epoch, 0 AS finished_at FROM executor_runs WHERE id IN (VALUES /*rows*/)
UNION ALL
SELECT id, epoch, finished_at FROM executor_history WHERE id IN (VALUES /*rows*/)
