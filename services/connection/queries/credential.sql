SELECT connection.workspace_id, connection.partner, connection.status, connection.fields, connection.revision, secret.field,
    secret.sealed
FROM connection_connections AS connection
LEFT JOIN connection_secrets AS secret
    ON secret.connection_id = connection.id AND secret.workspace_id = connection.workspace_id
WHERE connection.id = $1 AND connection.status <> 'deleted'
