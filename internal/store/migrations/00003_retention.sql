-- +goose Up
-- How long archives are kept: what was decided of each, only ever added to, and a row of how it
-- stands, written in the same transaction.
CREATE TABLE keeping_records (
    call    TEXT NOT NULL,
    version BIGINT NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (call, version)
);
CREATE TABLE keeping (
    call    TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    stage   TEXT NOT NULL,
    class   TEXT NOT NULL,
    until   BIGINT NOT NULL,
    held    BIGINT NOT NULL
);
CREATE INDEX keeping_until ON keeping (stage, until, call);
CREATE INDEX keeping_held ON keeping (until, call) WHERE held <> 0;

-- +goose Down
DROP TABLE keeping;
DROP TABLE keeping_records;
