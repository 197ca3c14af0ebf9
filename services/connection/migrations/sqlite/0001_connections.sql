CREATE TABLE connection_revision (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    revision INTEGER NOT NULL
) STRICT;

INSERT INTO connection_revision (id, revision) VALUES (1, 0);

CREATE TABLE connection_connections (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    workspace_id INTEGER NOT NULL,
    partner TEXT NOT NULL,
    title TEXT NOT NULL,
    status TEXT NOT NULL,
    fields BLOB NOT NULL,
    concurrency INTEGER,
    revision INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE INDEX connection_connections_by_workspace ON connection_connections (workspace_id, id);
CREATE UNIQUE INDEX connection_connections_by_revision ON connection_connections (revision);

CREATE TABLE connection_keys (
    key_id TEXT NOT NULL PRIMARY KEY,
    fingerprint TEXT NOT NULL
) STRICT;

CREATE TABLE connection_secrets (
    workspace_id INTEGER NOT NULL,
    connection_id INTEGER NOT NULL REFERENCES connection_connections (id),
    field TEXT NOT NULL,
    key_id TEXT NOT NULL REFERENCES connection_keys (key_id),
    sealed BLOB NOT NULL,
    PRIMARY KEY (connection_id, field)
) STRICT;

CREATE INDEX connection_secrets_by_key ON connection_secrets (key_id);

CREATE TABLE connection_hook_keys (
    generation INTEGER NOT NULL PRIMARY KEY,
    key_id TEXT NOT NULL REFERENCES connection_keys (key_id),
    sealed BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
