-- +goose Up
-- Where a position is, so that calls are found by their place; degrees.
ALTER TABLE call_items ADD COLUMN lat DOUBLE PRECISION;
ALTER TABLE call_items ADD COLUMN lon DOUBLE PRECISION;
CREATE INDEX call_items_place ON call_items (lat, lon) WHERE lat IS NOT NULL;

-- +goose Down
DROP INDEX call_items_place;
ALTER TABLE call_items DROP COLUMN lon;
ALTER TABLE call_items DROP COLUMN lat;
