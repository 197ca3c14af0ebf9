DELETE FROM executor_incarnations WHERE lease_until <= $1
