opens AS MATERIALIZED (
    SELECT * FROM UNNEST(
        $1::BYTEA[], $2::BIGINT[], $3::BYTEA[], $4::BIGINT[], $5::TEXT[], $6::TEXT[], $7::BYTEA[], $8::BIGINT[],
        $9::BIGINT[], $10::BIGINT[], $11::BIGINT[], $12::BIGINT[], $13::BIGINT[], $14::BIGINT[], $15::BIGINT[],
        $16::TEXT[], $17::TEXT[], $18::BYTEA[], $19::BYTEA[], $20::BIGINT[], $21::BIGINT[]
    ) AS opens (
        id, workspace_id, automation_id, version, event_id, phase, owner, step, in_doubt, attempts, generation,
        takeovers, attempt, started_at, behind, reason, connections, input, seen, seen_at, seen_until
    )
),
-- Who was declared dead opens nothing, and no event is remembered for it: it comes again.
alive AS MATERIALIZED (
    SELECT id FROM executor_incarnations WHERE id = ANY ($7::BYTEA[])
),
fresh AS (
    INSERT INTO executor_seen (key, run_id, at, until)
    SELECT DISTINCT ON (seen) seen, id, seen_at, seen_until
    FROM opens
    WHERE owner IS NULL OR owner IN (SELECT id FROM alive)
    ORDER BY seen, id
    ON CONFLICT (key) DO UPDATE
    SET run_id = excluded.run_id, at = excluded.at, until = excluded.until
    WHERE executor_seen.until <= excluded.at
    RETURNING run_id
),
opened AS (
    INSERT INTO executor_runs (
        id, workspace_id, automation_id, version, event_id, phase, epoch, owner, step, in_doubt, attempts, generation,
        takeovers, attempt, started_at, due_at, behind, reason, connections, input, steps
    )
    SELECT
        id, workspace_id, automation_id, version, event_id, phase, 1, owner, step, in_doubt, attempts, generation,
        takeovers, attempt, started_at, NULL, behind, reason, connections, input, ''
    FROM opens
    WHERE id IN (SELECT run_id FROM fresh)
    RETURNING id
)
