DELETE FROM gateway_tokens
WHERE expires_at <= $1
