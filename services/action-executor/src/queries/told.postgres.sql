DELETE FROM executor_finished WHERE id = ANY ($1::BYTEA[])
