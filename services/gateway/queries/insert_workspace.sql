INSERT INTO gateway_workspaces (name, plan, created_at)
VALUES ($1, $2, $3)
RETURNING id
