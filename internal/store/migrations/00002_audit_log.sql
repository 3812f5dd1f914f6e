-- +goose Up
-- Where a line stands in the site's log, plus one; 0: not there yet.
ALTER TABLE audit ADD COLUMN logged BIGINT NOT NULL DEFAULT 0;
CREATE INDEX audit_unlogged ON audit (at) WHERE logged = 0;
CREATE INDEX audit_who ON audit (who, at);

-- +goose Down
DROP INDEX audit_who;
DROP INDEX audit_unlogged;
ALTER TABLE audit DROP COLUMN logged;
