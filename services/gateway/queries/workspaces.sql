SELECT id FROM gateway_workspaces ORDER BY id
