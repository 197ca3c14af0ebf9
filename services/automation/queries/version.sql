SELECT document
FROM automation_versions
WHERE automation_id = $1 AND version = $2
