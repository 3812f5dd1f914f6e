-- +goose Up
-- Times are microseconds since 1970 UTC. JSON bodies are opaque here.
CREATE TABLE nodes (
    id    TEXT PRIMARY KEY,
    name  TEXT NOT NULL,
    epoch BIGINT NOT NULL
);

CREATE TABLE numbers (
    year BIGINT PRIMARY KEY,
    last BIGINT NOT NULL
);

CREATE TABLE calls (
    id            TEXT PRIMARY KEY,
    number        TEXT NOT NULL UNIQUE,
    ref           TEXT NOT NULL,
    client        TEXT NOT NULL,
    caller        TEXT NOT NULL,
    phone         TEXT NOT NULL,
    name          TEXT NOT NULL,
    kind          TEXT NOT NULL,
    lang          TEXT NOT NULL,
    phase         TEXT NOT NULL,
    priority      BIGINT NOT NULL,
    operator      TEXT NOT NULL,
    operator_name TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    answered_at   BIGINT NOT NULL,
    ended_at      BIGINT NOT NULL,
    end_reason    TEXT NOT NULL,
    category      TEXT NOT NULL,
    outcome       TEXT NOT NULL,
    callback      TEXT NOT NULL,
    version       BIGINT NOT NULL,
    owner_node    TEXT NOT NULL,
    owner_epoch   BIGINT NOT NULL,
    fence         BIGINT NOT NULL,
    -- Texts as searches compare them: in one case, made by the program, since the databases
    -- disagree on letters beyond ASCII.
    find_name     TEXT NOT NULL,
    find_operator TEXT NOT NULL,
    find_all      TEXT NOT NULL,
    UNIQUE (client, ref)
);
CREATE INDEX calls_created ON calls (created_at, id);
CREATE INDEX calls_phone ON calls (phone, created_at);
CREATE INDEX calls_caller ON calls (caller, created_at);
CREATE INDEX calls_open ON calls (created_at, id) WHERE phase <> 'ended' OR callback = 'pending';

CREATE TABLE call_records (
    call    TEXT NOT NULL,
    version BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    kind    TEXT NOT NULL,
    body    TEXT NOT NULL,
    node    TEXT NOT NULL,
    epoch   BIGINT NOT NULL,
    PRIMARY KEY (call, version)
);

CREATE TABLE call_seqs (
    call TEXT PRIMARY KEY,
    last BIGINT NOT NULL
);

CREATE TABLE call_items (
    call TEXT NOT NULL,
    kind TEXT NOT NULL,
    id   TEXT NOT NULL,
    seq  BIGINT NOT NULL,
    at   BIGINT NOT NULL,
    body TEXT NOT NULL,
    find TEXT NOT NULL,
    PRIMARY KEY (call, kind, id)
);
CREATE UNIQUE INDEX call_items_seq ON call_items (call, seq);

CREATE TABLE staff (
    id          TEXT PRIMARY KEY,
    login       TEXT NOT NULL UNIQUE,
    name        TEXT NOT NULL,
    roles       TEXT NOT NULL,
    password    TEXT NOT NULL,
    totp_secret TEXT NOT NULL,
    totp_last   BIGINT NOT NULL DEFAULT 0,
    disabled    BIGINT NOT NULL,
    lang        TEXT NOT NULL
);

CREATE TABLE staff_sessions (
    hash    TEXT PRIMARY KEY,
    staff   TEXT NOT NULL,
    expires BIGINT NOT NULL
);
CREATE INDEX staff_sessions_expires ON staff_sessions (expires);

CREATE TABLE callers (
    id          TEXT PRIMARY KEY,
    phone       TEXT NOT NULL UNIQUE,
    name        TEXT NOT NULL,
    iin         TEXT NOT NULL,
    medical     TEXT NOT NULL,
    lang        TEXT NOT NULL,
    verified_at BIGINT NOT NULL,
    created_at  BIGINT NOT NULL
);

CREATE TABLE caller_tokens (
    hash    TEXT PRIMARY KEY,
    caller  TEXT NOT NULL,
    expires BIGINT NOT NULL
);
CREATE INDEX caller_tokens_expires ON caller_tokens (expires);
CREATE INDEX caller_tokens_caller ON caller_tokens (caller);

CREATE TABLE codes (
    phone   TEXT PRIMARY KEY,
    hash    TEXT NOT NULL,
    expires BIGINT NOT NULL,
    tries   BIGINT NOT NULL
);

CREATE TABLE audit (
    id     TEXT PRIMARY KEY,
    at     BIGINT NOT NULL,
    who    TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_object ON audit (object, at);

CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    body TEXT NOT NULL
);

-- +goose Down
DROP TABLE settings;
DROP TABLE audit;
DROP TABLE codes;
DROP TABLE caller_tokens;
DROP TABLE callers;
DROP TABLE staff_sessions;
DROP TABLE staff;
DROP TABLE call_items;
DROP TABLE call_seqs;
DROP TABLE call_records;
DROP TABLE calls;
DROP TABLE numbers;
DROP TABLE nodes;
