INSERT INTO executor_incarnations (id, lease_until, started_at)
SELECT $1, now.micros + $2, now.micros
FROM (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::BIGINT AS micros) AS now
ON CONFLICT (id) DO UPDATE
SET lease_until = excluded.lease_until
