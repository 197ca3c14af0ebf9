SELECT id, workspace_id, password_hash
FROM gateway_users
WHERE email = $1
