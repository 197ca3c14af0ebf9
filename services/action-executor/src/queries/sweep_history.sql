DELETE FROM executor_history
WHERE id IN (SELECT id FROM executor_history WHERE id < $1 AND finished_at < $2 ORDER BY id LIMIT $3)
