SELECT
    tables.relname::TEXT AS name,
    substring(pg_get_expr(tables.relpartbound, tables.oid) FROM 'FROM \(''?(-?\d+)')::BIGINT / 86400000000 AS number,
    COALESCE(parts.inhdetachpending, FALSE) AS leaving
FROM pg_class AS tables
LEFT JOIN pg_inherits AS parts ON parts.inhrelid = tables.oid
WHERE tables.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'executor_history'::REGCLASS)
    AND tables.relkind = 'r'
    AND tables.relname LIKE 'executor\_history\_%'
