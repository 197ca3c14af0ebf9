UPDATE executor_incarnations
SET lease_until = $3 + $2
WHERE id = $1
