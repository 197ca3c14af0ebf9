told AS (
    DELETE FROM executor_finished WHERE id = ANY ($57::BYTEA[])
)
