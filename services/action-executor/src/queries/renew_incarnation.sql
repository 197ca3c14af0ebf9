UPDATE executor_incarnations SET lease_until = $2 WHERE id = $1 AND lease_until > $3
