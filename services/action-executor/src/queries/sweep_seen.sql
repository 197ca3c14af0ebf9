DELETE FROM executor_seen WHERE key >= $1 AND key < $2 AND at < $3
