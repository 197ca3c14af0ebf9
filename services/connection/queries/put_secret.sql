INSERT INTO connection_secrets (workspace_id, connection_id, field, key_id, sealed)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (connection_id, field) DO UPDATE
SET key_id = excluded.key_id, sealed = excluded.sealed
