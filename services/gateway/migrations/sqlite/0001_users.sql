CREATE TABLE gateway_workspaces (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    plan TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE gateway_users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    workspace_id INTEGER NOT NULL REFERENCES gateway_workspaces (id),
    email TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE gateway_tokens (
    digest BLOB NOT NULL PRIMARY KEY,
    workspace_id INTEGER NOT NULL REFERENCES gateway_workspaces (id),
    user_id INTEGER NOT NULL REFERENCES gateway_users (id),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX gateway_tokens_by_expiry ON gateway_tokens (expires_at);

CREATE TABLE gateway_answers (
    workspace_id INTEGER NOT NULL,
    slot BLOB NOT NULL,
    body_digest BLOB NOT NULL,
    begun_at INTEGER NOT NULL,
    status INTEGER,
    answer BLOB,
    PRIMARY KEY (workspace_id, slot)
) STRICT;

CREATE INDEX gateway_answers_by_age ON gateway_answers (begun_at);
