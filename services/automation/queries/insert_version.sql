INSERT INTO automation_versions
    (automation_id, version, workspace_id, source_id, document, published_at)
VALUES ($1, $2, $3, $4, $5, $6)
