-- What of a batch is there already, because its commit came through though its answer did not.
SELECT
    ARRAY(
        SELECT runs.id
        FROM UNNEST($1::BYTEA[], $2::BYTEA[], $3::BYTEA[]) AS opens (id, seen, owner)
        JOIN executor_seen ON executor_seen.key = opens.seen AND executor_seen.run_id = opens.id
        JOIN executor_runs AS runs ON runs.id = opens.id AND runs.epoch = 1 AND runs.owner IS NOT DISTINCT FROM opens.owner
        WHERE executor_seen.key = ANY ($2::BYTEA[]) AND runs.id = ANY ($1::BYTEA[])
    ) AS opened,
    ARRAY(
        SELECT history.id
        FROM UNNEST($4::BYTEA[], $5::BIGINT[], $6::BIGINT[]) AS ends (id, epoch, finished_at)
        JOIN executor_history AS history
            ON history.id = ends.id AND history.epoch = ends.epoch AND history.finished_at = ends.finished_at
        WHERE history.id = ANY ($4::BYTEA[]) AND history.finished_at = ANY ($6::BIGINT[])
    ) AS closed
