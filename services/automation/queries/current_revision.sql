SELECT revision
FROM automation_revision
WHERE id = 1
