-- +goose Up
-- Accounts: the unit a person works in, roles that wait for a second person, when they were last used.
ALTER TABLE staff ADD COLUMN unit TEXT NOT NULL DEFAULT '';
ALTER TABLE staff ADD COLUMN pending TEXT NOT NULL DEFAULT '';
ALTER TABLE staff ADD COLUMN pending_by TEXT NOT NULL DEFAULT '';
ALTER TABLE staff ADD COLUMN used_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE staff ADD COLUMN version BIGINT NOT NULL DEFAULT 0;
CREATE INDEX staff_sessions_staff ON staff_sessions (staff);

-- Who somebody is at an identity provider.
CREATE TABLE staff_identities (
    issuer  TEXT NOT NULL,
    subject TEXT NOT NULL,
    staff   TEXT NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX staff_identities_staff ON staff_identities (staff);

-- Links by which somebody chooses a password, once.
CREATE TABLE staff_invitations (
    staff   TEXT PRIMARY KEY,
    hash    TEXT NOT NULL UNIQUE,
    expires BIGINT NOT NULL
);

-- Who changed what of an account; written with the change.
CREATE TABLE staff_changes (
    id     TEXT PRIMARY KEY,
    at     BIGINT NOT NULL,
    who    TEXT NOT NULL,
    staff  TEXT NOT NULL,
    field  TEXT NOT NULL,
    before TEXT NOT NULL,
    after  TEXT NOT NULL,
    undone BIGINT NOT NULL
);
CREATE INDEX staff_changes_at ON staff_changes (at, id);
CREATE INDEX staff_changes_staff ON staff_changes (staff, at);

-- Shifts: what was decided, only ever added to, and how it stands, written in the same transaction.
CREATE TABLE shift_records (
    version BIGINT PRIMARY KEY,
    at      BIGINT NOT NULL,
    body    TEXT NOT NULL
);
CREATE TABLE shift_state (
    id      BIGINT PRIMARY KEY,
    version BIGINT NOT NULL,
    body    TEXT NOT NULL
);

-- +goose Down
DROP TABLE shift_state;
DROP TABLE shift_records;
DROP TABLE staff_changes;
DROP TABLE staff_invitations;
DROP TABLE staff_identities;
DROP INDEX staff_sessions_staff;
ALTER TABLE staff DROP COLUMN version;
ALTER TABLE staff DROP COLUMN used_at;
ALTER TABLE staff DROP COLUMN pending_by;
ALTER TABLE staff DROP COLUMN pending;
ALTER TABLE staff DROP COLUMN unit;
