INSERT INTO executor_finished (id, at, runs) VALUES ($1, $2, $3)
