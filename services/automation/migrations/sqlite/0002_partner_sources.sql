ALTER TABLE automation_sources ADD COLUMN connection_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE automation_sources ADD COLUMN mode TEXT NOT NULL DEFAULT 'webhook';
