INSERT INTO executor_seen (key, run_id, at, until)
VALUES /*rows*/
ON CONFLICT (key) DO UPDATE
SET run_id = excluded.run_id, at = excluded.at, until = excluded.until
WHERE executor_seen.until <= excluded.at
