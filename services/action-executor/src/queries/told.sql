DELETE FROM executor_finished WHERE id = $1
