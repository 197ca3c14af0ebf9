SELECT EXISTS (
    SELECT 1 FROM executor_runs
    WHERE due_at <= (extract(epoch FROM clock_timestamp()) * 1000000)::BIGINT
)
