-- Where the schedules of timer functions stand.
CREATE TABLE timers (
    name       TEXT    NOT NULL PRIMARY KEY,
    schedule   TEXT    NOT NULL,
    last       BIGINT,
    next       BIGINT  NOT NULL,
    deliveries INTEGER NOT NULL,
    sequence   BIGINT  NOT NULL
) WITHOUT ROWID;
