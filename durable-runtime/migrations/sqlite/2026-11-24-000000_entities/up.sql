-- A message that is not to be taken in before an instant: a scheduled signal to an entity. 0: at once.
ALTER TABLE inbox ADD COLUMN due BIGINT NOT NULL DEFAULT 0;
