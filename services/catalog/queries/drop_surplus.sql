DELETE FROM catalog_lists
WHERE workspace_id = $1 AND connection_id = $2
    AND (
        connection_version <> $3
        OR fetched_at < (
            SELECT MIN(newest.fetched_at)
            FROM (
                SELECT fetched_at
                FROM catalog_lists
                WHERE workspace_id = $1 AND connection_id = $2
                ORDER BY fetched_at DESC
                LIMIT $4
            ) AS newest
        )
    )
