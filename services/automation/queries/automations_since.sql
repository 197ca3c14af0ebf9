SELECT
    automation.workspace_id, automation.id, automation.status, automation.deleted, automation.version,
    published.source_id, published.document, automation.revision
FROM automation_automations AS automation
JOIN automation_versions AS published
    ON published.automation_id = automation.id AND published.version = automation.version
WHERE automation.revision > $1
ORDER BY automation.revision, automation.id
LIMIT $2
