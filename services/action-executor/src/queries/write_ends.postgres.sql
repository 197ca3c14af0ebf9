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
)
