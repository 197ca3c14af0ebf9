CREATE TABLE automation_revision (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    revision BIGINT NOT NULL
);

INSERT INTO automation_revision (id, revision) VALUES (1, 0);

CREATE TABLE automation_automations (
    workspace_id BIGINT NOT NULL,
    id BYTEA NOT NULL,
    status TEXT NOT NULL,
    version BIGINT NOT NULL,
    document BYTEA NOT NULL,
    edits BIGINT NOT NULL,
    source_id BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    deleted BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, id)
);

CREATE INDEX automation_automations_by_revision ON automation_automations (revision);
CREATE INDEX automation_automations_by_source ON automation_automations (workspace_id, source_id);

CREATE TABLE automation_versions (
    automation_id BYTEA NOT NULL,
    version BIGINT NOT NULL,
    workspace_id BIGINT NOT NULL,
    source_id BYTEA NOT NULL,
    document BYTEA NOT NULL,
    published_at BIGINT NOT NULL,
    PRIMARY KEY (automation_id, version)
);

CREATE INDEX automation_versions_by_source ON automation_versions (workspace_id, source_id);

CREATE TABLE automation_sources (
    workspace_id BIGINT NOT NULL,
    id BYTEA NOT NULL,
    automation_id BYTEA NOT NULL,
    operation TEXT NOT NULL,
    parameters BYTEA NOT NULL,
    deleted BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, id)
);

CREATE INDEX automation_sources_by_revision ON automation_sources (revision);
