buried AS (
    INSERT INTO executor_dead_letters (
        key, workspace_id, kind, reason, error, run_id, source_id, event_id, original, at
    )
    SELECT key, workspace_id, kind, reason, error, run_id, source_id, event_id, original, at
    FROM UNNEST(
        $46::BYTEA[], $47::BIGINT[], $48::TEXT[], $49::TEXT[], $50::TEXT[], $51::BYTEA[], $52::BYTEA[], $53::TEXT[],
        $54::BYTEA[], $55::BIGINT[], $56::BYTEA[]
    ) AS letters (key, workspace_id, kind, reason, error, run_id, source_id, event_id, original, at, ended)
    WHERE ended IS NULL OR ended IN (SELECT id FROM closed)
    ON CONFLICT (key) WHERE key IS NOT NULL DO NOTHING
)
