SELECT generation, sealed
FROM connection_hook_keys
ORDER BY generation
