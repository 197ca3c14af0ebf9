SELECT run_id FROM executor_seen WHERE key IN (VALUES /*rows*/)
