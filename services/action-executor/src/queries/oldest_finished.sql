-- Places are in the order in which runs finished.
SELECT
    rowid AS place,
    length(input) + length(steps) + 200 AS bytes,
    EXISTS (SELECT 1 FROM executor_dead_letters WHERE executor_dead_letters.run_id = executor_history.id) AS is_needed
FROM executor_history
WHERE rowid > $1
ORDER BY rowid
LIMIT $2
