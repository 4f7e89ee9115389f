-- Lifecycle events that wait to be sent. No reference to the instance: they outlive it.
CREATE TABLE outbox (
    id          INTEGER NOT NULL PRIMARY KEY,
    instance_id TEXT    NOT NULL,
    event       TEXT    NOT NULL
);
