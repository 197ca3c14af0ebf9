-- The time is read once, by a query of its own: compared with each row, it could use no index.
SELECT EXISTS (
    SELECT 1 FROM executor_runs
    WHERE due_at <= (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::BIGINT)
)
