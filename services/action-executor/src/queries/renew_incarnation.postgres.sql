UPDATE executor_incarnations
SET lease_until = (extract(epoch FROM clock_timestamp()) * 1000000)::BIGINT + $2
WHERE id = $1
