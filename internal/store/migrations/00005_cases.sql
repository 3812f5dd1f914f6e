-- +goose Up
-- Cases: their decisions, only ever added to, and for each a row as it stands, written in the same
-- transaction. Times are microseconds since 1970 UTC, 0 for never.
CREATE TABLE cases (
    id          TEXT PRIMARY KEY,
    number      TEXT NOT NULL UNIQUE,
    version     BIGINT NOT NULL,
    lane        TEXT NOT NULL,
    kind        TEXT NOT NULL,
    priority    BIGINT NOT NULL,
    unit        TEXT NOT NULL,
    status      TEXT NOT NULL,
    owner       TEXT NOT NULL,
    handing     TEXT NOT NULL,
    caller      TEXT NOT NULL,
    phone       TEXT NOT NULL,
    lat         DOUBLE PRECISION,
    lon         DOUBLE PRECISION,
    opened_at   BIGINT NOT NULL,
    since       BIGINT NOT NULL,
    sent_at     BIGINT NOT NULL,
    arrived_at  BIGINT NOT NULL,
    closed_at   BIGINT NOT NULL,
    replied_at  BIGINT NOT NULL,
    due_at      BIGINT NOT NULL,
    outcome     TEXT NOT NULL,
    merged_into TEXT NOT NULL,
    changed_at  BIGINT NOT NULL,
    find_all    TEXT NOT NULL
);
CREATE INDEX cases_opened ON cases (opened_at, id);
CREATE INDEX cases_open ON cases (opened_at, id) WHERE closed_at = 0 AND merged_into = '';
CREATE INDEX cases_due ON cases (due_at) WHERE due_at <> 0;
CREATE INDEX cases_changed ON cases (changed_at, id);
CREATE INDEX cases_place ON cases (lat, lon) WHERE lat IS NOT NULL;
CREATE INDEX cases_caller ON cases (caller, opened_at) WHERE caller <> '';
CREATE INDEX cases_phone ON cases (phone, opened_at) WHERE phone <> '';

CREATE TABLE case_records (
    case_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    kind    TEXT NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (case_id, version)
);

-- Which case a recording belongs to.
CREATE TABLE case_recordings (
    recording TEXT PRIMARY KEY,
    case_id   TEXT NOT NULL
);
CREATE INDEX case_recordings_case ON case_recordings (case_id);

-- Further recordings of a case are numbered as its parts.
CREATE TABLE number_parts (
    number TEXT PRIMARY KEY,
    last   BIGINT NOT NULL
);

-- Patrols on duty or not, and the case each belongs to.
CREATE TABLE patrols (
    staff    TEXT PRIMARY KEY,
    name     TEXT NOT NULL,
    unit     TEXT NOT NULL,
    state    TEXT NOT NULL,
    case_id  TEXT NOT NULL,
    since    BIGINT NOT NULL,
    lat      DOUBLE PRECISION,
    lon      DOUBLE PRECISION,
    accuracy DOUBLE PRECISION NOT NULL,
    fix_at   BIGINT NOT NULL
);

-- Reports of citizens: who has the key may see them; body is what was told and which files follow.
CREATE TABLE reports (
    id       TEXT PRIMARY KEY,
    key_hash TEXT NOT NULL,
    made_at  BIGINT NOT NULL,
    sealed   BIGINT NOT NULL,
    body     TEXT NOT NULL
);
CREATE INDEX reports_unsealed ON reports (made_at, id) WHERE sealed = 0;
CREATE INDEX reports_key ON reports (key_hash, made_at);

CREATE TABLE report_files (
    report  TEXT NOT NULL,
    id      TEXT NOT NULL,
    kept_at BIGINT NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (report, id)
);

-- +goose Down
DROP TABLE report_files;
DROP TABLE reports;
DROP TABLE patrols;
DROP TABLE number_parts;
DROP TABLE case_recordings;
DROP TABLE case_records;
DROP TABLE cases;
