INSERT INTO connection_hook_keys (generation, key_id, sealed, created_at)
VALUES ($1, $2, $3, $4)
