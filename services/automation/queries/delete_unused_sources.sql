-- Every source that this automation ever had goes, unless a living automation has it as its draft's or published one.
UPDATE automation_sources
SET deleted = 1, revision = $3
WHERE workspace_id = $1
    AND deleted = 0
    AND (
        automation_id = $2
        OR id IN (SELECT source_id FROM automation_automations WHERE workspace_id = $1 AND id = $2)
        OR id IN (SELECT source_id FROM automation_versions WHERE workspace_id = $1 AND automation_id = $2)
    )
    AND NOT EXISTS (
        SELECT 1
        FROM automation_automations AS living
        LEFT JOIN automation_versions AS published
            ON published.automation_id = living.id AND published.version = living.version
        WHERE living.workspace_id = $1
            AND living.deleted = 0
            AND (living.source_id = automation_sources.id OR published.source_id = automation_sources.id)
    )
