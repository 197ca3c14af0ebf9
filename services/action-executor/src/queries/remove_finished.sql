DELETE FROM executor_history
WHERE rowid > $1 AND rowid <= $2
    AND NOT EXISTS (SELECT 1 FROM executor_dead_letters WHERE executor_dead_letters.run_id = executor_history.id)
