ALTER TABLE executor_dead_letters ADD COLUMN replay_at BIGINT;

CREATE INDEX executor_dead_letters_replay ON executor_dead_letters (id) WHERE replay_at IS NOT NULL;
