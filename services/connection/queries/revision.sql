SELECT revision
FROM connection_revision
WHERE id = 1
