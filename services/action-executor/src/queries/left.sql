SELECT id FROM executor_runs WHERE id IN (VALUES /*rows*/)
UNION ALL
SELECT id FROM executor_history WHERE id IN (VALUES /*rows*/)
