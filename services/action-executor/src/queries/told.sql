DELETE FROM executor_finished WHERE id IN (VALUES /*rows*/)
