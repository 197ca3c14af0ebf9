-- Everything that one batch writes, in one round trip: the statement is its own transaction. What is joined by its id is
-- also looked for by it, so that no plan reads more rows than are named, whatever the planner knows of the tables.
WITH opens AS MATERIALIZED (
    SELECT * FROM UNNEST(
        $1::BYTEA[], $2::BIGINT[], $3::BYTEA[], $4::BIGINT[], $5::TEXT[], $6::TEXT[], $7::BYTEA[], $8::BIGINT[],
        $9::BIGINT[], $10::BIGINT[], $11::BIGINT[], $12::BIGINT[], $13::BIGINT[], $14::BIGINT[], $15::BIGINT[],
        $16::TEXT[], $17::TEXT[], $18::BYTEA[], $19::BYTEA[], $20::BIGINT[], $21::BIGINT[]
    ) AS opens (
        id, workspace_id, automation_id, version, event_id, phase, owner, step, in_doubt, attempts, generation,
        takeovers, attempt, started_at, behind, reason, connections, input, seen, seen_at, seen_until
    )
),
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
),
moved AS (
    UPDATE executor_runs
    SET phase = progress.phase, owner = progress.owner, step = progress.step, in_doubt = progress.in_doubt,
        attempts = progress.attempts, generation = progress.generation, takeovers = progress.takeovers,
        due_at = progress.due_at, behind = progress.behind, reason = progress.reason, steps = progress.steps
    FROM UNNEST(
        $22::BYTEA[], $23::BIGINT[], $24::TEXT[], $25::BYTEA[], $26::BIGINT[], $27::BIGINT[], $28::BIGINT[],
        $29::BIGINT[], $30::BIGINT[], $31::BIGINT[], $32::BIGINT[], $33::TEXT[], $34::BYTEA[]
    ) AS progress (
        id, epoch, phase, owner, step, in_doubt, attempts, generation, takeovers, due_at, behind, reason, steps
    )
    WHERE executor_runs.id = ANY ($22::BYTEA[])
        AND executor_runs.id = progress.id AND executor_runs.epoch = progress.epoch
    RETURNING executor_runs.id
),
ends AS MATERIALIZED (
    SELECT * FROM UNNEST(
        $35::BYTEA[], $36::BIGINT[], $37::TEXT[], $38::BIGINT[], $39::BIGINT[], $40::BIGINT[], $41::BIGINT[],
        $42::BYTEA[], $43::BYTEA[]
    ) AS ends (id, epoch, status, step, in_doubt, generation, finished_at, steps, finished)
),
closed AS (
    DELETE FROM executor_runs
    USING ends
    WHERE executor_runs.id = ANY ($35::BYTEA[]) AND executor_runs.id = ends.id AND executor_runs.epoch = ends.epoch
    RETURNING
        executor_runs.id, executor_runs.workspace_id, executor_runs.automation_id, executor_runs.version,
        executor_runs.event_id, executor_runs.epoch, executor_runs.attempt, executor_runs.started_at,
        executor_runs.connections, executor_runs.input, ends.status, ends.step, ends.in_doubt, ends.generation,
        ends.finished_at, ends.steps, ends.finished
),
kept AS (
    INSERT INTO executor_history (
        id, workspace_id, automation_id, version, event_id, status, epoch, step, in_doubt, generation, attempt,
        started_at, finished_at, connections, input, steps
    )
    SELECT
        id, workspace_id, automation_id, version, event_id, status, epoch, step, in_doubt, generation, attempt,
        started_at, finished_at, connections, input, steps
    FROM closed
),
-- One message with a repeated field is the messages with one element each, one after another.
to_tell AS (
    INSERT INTO executor_finished (id, at, runs)
    SELECT $44, $45, string_agg(finished, '')
    FROM closed
    HAVING count(*) > 0
),
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
),
told AS (
    DELETE FROM executor_finished WHERE id = ANY ($57::BYTEA[])
)
SELECT
    ARRAY(SELECT id FROM opened) AS opened,
    ARRAY(SELECT id FROM alive) AS alive,
    ARRAY(SELECT id FROM moved) AS moved,
    ARRAY(SELECT id FROM closed) AS closed
