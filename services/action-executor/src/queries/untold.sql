SELECT id, runs FROM executor_finished WHERE at <= $1 ORDER BY id LIMIT $2
