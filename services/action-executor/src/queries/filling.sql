-- A row has about 200 bytes besides its payloads, an id of an event about 80. Nothing is counted beyond a million rows.
SELECT
    (
        SELECT coalesce(sum(bytes), 0)
        FROM (SELECT length(input) + length(steps) + 200 AS bytes FROM executor_runs LIMIT 1000000)
    ) AS open_runs,
    (
        SELECT coalesce(sum(bytes), 0)
        FROM (SELECT coalesce(length(original), 0) + 200 AS bytes FROM executor_dead_letters LIMIT 1000000)
    ) + (
        SELECT coalesce(sum(bytes), 0)
        FROM (SELECT length(input) + length(steps) + 200 AS bytes FROM executor_history LIMIT 1000000)
    ) AS dead_letters,
    (SELECT count(*) * 80 FROM (SELECT 1 FROM executor_seen LIMIT 1000000)) AS event_ids
