-- One task hub. Instants are microseconds since 1970 UTC; see docs/schema.md.
CREATE TABLE instances (
    iid             INTEGER NOT NULL PRIMARY KEY,
    id              TEXT    NOT NULL UNIQUE,
    name            TEXT    NOT NULL COLLATE NOCASE,
    version         TEXT    NOT NULL,
    execution_id    TEXT    NOT NULL,
    generation      BIGINT  NOT NULL,
    status          INTEGER NOT NULL,
    created         BIGINT  NOT NULL,
    updated         BIGINT  NOT NULL,
    wake_at         BIGINT,
    sequence        BIGINT  NOT NULL,
    partition_id    INTEGER NOT NULL,
    parent          TEXT,
    scheduled_start BIGINT,
    tags            TEXT,
    trace_parent    TEXT
);
CREATE INDEX instances_by_created ON instances (created, id);
CREATE INDEX instances_by_status ON instances (status, created, id);
CREATE INDEX instances_by_name ON instances (name, created, id);
CREATE INDEX instances_by_wake ON instances (wake_at) WHERE wake_at IS NOT NULL;

CREATE TABLE history (
    iid    BIGINT NOT NULL REFERENCES instances (iid) ON DELETE CASCADE,
    seq    BIGINT NOT NULL,
    events TEXT   NOT NULL,
    PRIMARY KEY (iid, seq)
) WITHOUT ROWID;

CREATE TABLE payloads (
    iid   BIGINT  NOT NULL REFERENCES instances (iid) ON DELETE CASCADE,
    kind  INTEGER NOT NULL,
    value TEXT    NOT NULL,
    PRIMARY KEY (iid, kind)
) WITHOUT ROWID;

CREATE TABLE inbox (
    iid          BIGINT NOT NULL REFERENCES instances (iid) ON DELETE CASCADE,
    id           BIGINT NOT NULL,
    execution_id TEXT,
    event        TEXT   NOT NULL,
    created      BIGINT NOT NULL,
    PRIMARY KEY (iid, id)
) WITHOUT ROWID;

CREATE TABLE deliveries (
    iid     BIGINT  NOT NULL REFERENCES instances (iid) ON DELETE CASCADE,
    task_id BIGINT  NOT NULL,
    count   INTEGER NOT NULL,
    PRIMARY KEY (iid, task_id)
) WITHOUT ROWID;

CREATE TABLE keys (
    position INTEGER NOT NULL PRIMARY KEY,
    scope    TEXT    NOT NULL,
    folded   TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    value    TEXT    NOT NULL,
    UNIQUE (scope, folded)
);

CREATE TABLE meta (
    name  TEXT   NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
) WITHOUT ROWID;
