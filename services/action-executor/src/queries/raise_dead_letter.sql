DELETE FROM executor_dead_letters WHERE run_id = $1
