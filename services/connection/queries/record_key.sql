INSERT INTO connection_keys (key_id, fingerprint)
VALUES ($1, $2)
ON CONFLICT (key_id) DO UPDATE
SET fingerprint = excluded.fingerprint
