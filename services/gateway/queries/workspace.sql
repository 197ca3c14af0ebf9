SELECT name, plan
FROM gateway_workspaces
WHERE id = $1
