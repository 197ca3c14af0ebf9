SELECT fingerprint
FROM connection_keys
WHERE key_id = $1 AND fingerprint <> $2
    AND (
        EXISTS (SELECT 1 FROM connection_secrets WHERE connection_secrets.key_id = connection_keys.key_id)
        OR EXISTS (SELECT 1 FROM connection_hook_keys WHERE connection_hook_keys.key_id = connection_keys.key_id)
    )
