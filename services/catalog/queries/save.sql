INSERT INTO catalog_lists (
    workspace_id, connection_id, list, inputs_digest, inputs, connection_version, options, truncated, fetched_at
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (workspace_id, connection_id, list, inputs_digest) DO UPDATE SET
    inputs = excluded.inputs,
    connection_version = excluded.connection_version,
    options = excluded.options,
    truncated = excluded.truncated,
    fetched_at = excluded.fetched_at
