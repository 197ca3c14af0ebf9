CREATE TABLE automation_revision (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    revision INTEGER NOT NULL
) STRICT;

INSERT INTO automation_revision (id, revision) VALUES (1, 0);

CREATE TABLE automation_automations (
    workspace_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    status TEXT NOT NULL,
    version INTEGER NOT NULL,
    document BLOB NOT NULL,
    edits INTEGER NOT NULL,
    source_id BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id)
) STRICT;

CREATE INDEX automation_automations_by_revision ON automation_automations (revision);
CREATE INDEX automation_automations_by_source ON automation_automations (workspace_id, source_id);

CREATE TABLE automation_versions (
    automation_id BLOB NOT NULL,
    version INTEGER NOT NULL,
    workspace_id INTEGER NOT NULL,
    source_id BLOB NOT NULL,
    document BLOB NOT NULL,
    published_at INTEGER NOT NULL,
    PRIMARY KEY (automation_id, version)
) STRICT;

CREATE INDEX automation_versions_by_source ON automation_versions (workspace_id, source_id);

CREATE TABLE automation_sources (
    workspace_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    automation_id BLOB NOT NULL,
    operation TEXT NOT NULL,
    parameters BLOB NOT NULL,
    deleted INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id)
) STRICT;

CREATE INDEX automation_sources_by_revision ON automation_sources (revision);
