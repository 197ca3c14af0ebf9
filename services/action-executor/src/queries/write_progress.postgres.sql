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
)
