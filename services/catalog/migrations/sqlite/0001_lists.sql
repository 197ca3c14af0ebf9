CREATE TABLE catalog_lists (
    workspace_id INTEGER NOT NULL,
    connection_id INTEGER NOT NULL,
    list TEXT NOT NULL,
    inputs_digest BLOB NOT NULL,
    inputs BLOB NOT NULL,
    connection_version INTEGER NOT NULL,
    options BLOB NOT NULL,
    truncated INTEGER NOT NULL,
    fetched_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, connection_id, list, inputs_digest)
) STRICT;

CREATE INDEX catalog_lists_by_age ON catalog_lists (fetched_at);
