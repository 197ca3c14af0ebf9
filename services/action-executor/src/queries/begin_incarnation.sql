INSERT INTO executor_incarnations (id, lease_until, started_at)
VALUES ($1, $3 + $2, $3)
ON CONFLICT (id) DO UPDATE
SET lease_until = excluded.lease_until
