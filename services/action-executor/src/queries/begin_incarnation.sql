INSERT INTO executor_incarnations (id, lease_until, started_at) VALUES ($1, $2, $3)
