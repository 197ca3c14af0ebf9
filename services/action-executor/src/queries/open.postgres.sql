INSERT INTO executor_runs (
    id, workspace_id, automation_id, version, event_id, phase, epoch, owner, step, in_doubt, attempts, generation,
    takeovers, attempt, started_at, due_at, behind, reason, connections, input, steps
)
SELECT
    id, workspace_id, automation_id, version, event_id, phase, epoch, owner, step, in_doubt, attempts, generation,
    takeovers, attempt, started_at, due_at, behind, reason, connections, input, steps
FROM UNNEST(
    $1::BYTEA[], $2::BIGINT[], $3::BYTEA[], $4::BIGINT[], $5::TEXT[], $6::TEXT[], $7::BIGINT[], $8::BYTEA[], $9::BIGINT[],
    $10::BIGINT[], $11::BIGINT[], $12::BIGINT[], $13::BIGINT[], $14::BIGINT[], $15::BIGINT[], $16::BIGINT[], $17::BIGINT[],
    $18::TEXT[], $19::TEXT[], $20::BYTEA[], $21::BYTEA[]
) AS rows (
    id, workspace_id, automation_id, version, event_id, phase, epoch, owner, step, in_doubt, attempts, generation,
    takeovers, attempt, started_at, due_at, behind, reason, connections, input, steps
)
