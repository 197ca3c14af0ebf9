SELECT workspace_id, expires_at
FROM gateway_tokens
WHERE digest = $1
