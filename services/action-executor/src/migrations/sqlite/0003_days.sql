ALTER TABLE executor_dead_letters ADD COLUMN key BLOB;

CREATE UNIQUE INDEX executor_dead_letters_key ON executor_dead_letters (key) WHERE key IS NOT NULL;
