DELETE FROM executor_incarnations
WHERE lease_until <= (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::BIGINT) AND id <> $1
