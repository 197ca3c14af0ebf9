CREATE TABLE catalog_lists (
    workspace_id BIGINT NOT NULL,
    connection_id BIGINT NOT NULL,
    list TEXT NOT NULL,
    inputs_digest BYTEA NOT NULL,
    inputs BYTEA NOT NULL,
    connection_version BIGINT NOT NULL,
    options BYTEA NOT NULL,
    truncated BIGINT NOT NULL,
    fetched_at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, connection_id, list, inputs_digest)
);

CREATE INDEX catalog_lists_by_age ON catalog_lists (fetched_at);
