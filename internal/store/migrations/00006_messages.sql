-- +goose Up
-- Messages to citizens: what became of each, only ever added to, and a row of how it stands, written
-- in the same transaction. The phone is forgotten at its end.
CREATE TABLE messages (
    id       TEXT PRIMARY KEY,
    case_id  TEXT NOT NULL,
    citizen  TEXT NOT NULL,
    phone    TEXT NOT NULL,
    kind     TEXT NOT NULL,
    body     TEXT NOT NULL,
    made     BIGINT NOT NULL,
    version  BIGINT NOT NULL,
    stage    TEXT NOT NULL,
    at       BIGINT NOT NULL,
    channel  TEXT NOT NULL,
    reason   TEXT NOT NULL,
    ended    BIGINT NOT NULL,
    due      BIGINT NOT NULL
);
CREATE INDEX messages_due ON messages (due, citizen) WHERE ended = 0;
CREATE INDEX messages_open ON messages (citizen, made, id) WHERE ended = 0;
CREATE INDEX messages_case ON messages (case_id, made, id);
CREATE TABLE message_records (
    message TEXT NOT NULL,
    version BIGINT NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (message, version)
);
-- What carriers call the parts of messages. A report may come before its message is known here.
CREATE TABLE message_receipts (
    channel TEXT NOT NULL,
    id      TEXT NOT NULL,
    message TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    report  BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (channel, id)
);
CREATE INDEX message_receipts_message ON message_receipts (message, attempt);
CREATE INDEX message_receipts_at ON message_receipts (at);
-- Where browsers take notices.
CREATE TABLE push_subscriptions (
    citizen  TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    p256dh   TEXT NOT NULL,
    auth     TEXT NOT NULL,
    made     BIGINT NOT NULL,
    PRIMARY KEY (citizen, endpoint)
);
CREATE INDEX push_subscriptions_endpoint ON push_subscriptions (endpoint);

-- +goose Down
DROP TABLE push_subscriptions;
DROP TABLE message_receipts;
DROP TABLE message_records;
DROP TABLE messages;
