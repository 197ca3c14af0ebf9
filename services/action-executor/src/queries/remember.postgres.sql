INSERT INTO executor_seen (key, run_id, at, until)
SELECT DISTINCT ON (key) key, run_id, at, until
FROM UNNEST($1::BYTEA[], $2::BYTEA[], $3::BIGINT[], $4::BIGINT[]) AS rows (key, run_id, at, until)
ORDER BY key, run_id
ON CONFLICT (key) DO UPDATE
SET run_id = excluded.run_id, at = excluded.at, until = excluded.until
WHERE executor_seen.until <= excluded.at
RETURNING run_id
