INSERT INTO executor_history (
    id, workspace_id, automation_id, version, event_id, status, epoch, step, in_doubt, generation, attempt, started_at,
    finished_at, connections, input, steps
)
SELECT
    id, workspace_id, automation_id, version, event_id, status, epoch, step, in_doubt, generation, attempt, started_at,
    finished_at, connections, input, steps
FROM UNNEST(
    $1::BYTEA[], $2::BIGINT[], $3::BYTEA[], $4::BIGINT[], $5::TEXT[], $6::TEXT[], $7::BIGINT[], $8::BIGINT[], $9::BIGINT[],
    $10::BIGINT[], $11::BIGINT[], $12::BIGINT[], $13::BIGINT[], $14::TEXT[], $15::BYTEA[], $16::BYTEA[]
) AS rows (
    id, workspace_id, automation_id, version, event_id, status, epoch, step, in_doubt, generation, attempt, started_at,
    finished_at, connections, input, steps
)
