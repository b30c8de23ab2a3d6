-- Events version 2: what was offered to whom, replied, turned away, withdrawn and linked. A revision beyond 32 bits
-- stands in revision_wide, and 2147483647 in revision, which is in the key and cannot change its type.
ALTER TABLE events
    ADD COLUMN IF NOT EXISTS revision_wide UInt64 AFTER revision,
    ADD COLUMN IF NOT EXISTS wait_ms Nullable(Int64),
    ADD COLUMN IF NOT EXISTS dimensions Map(LowCardinality(String), String),
    ADD COLUMN IF NOT EXISTS ignored Nullable(UInt8),
    ADD COLUMN IF NOT EXISTS ring_ms Nullable(Int64),
    ADD COLUMN IF NOT EXISTS cause LowCardinality(String),
    ADD COLUMN IF NOT EXISTS merged_into Nullable(String),
    ADD COLUMN IF NOT EXISTS undone Nullable(UInt8),
    ADD COLUMN IF NOT EXISTS to_contact_id Nullable(String);

ALTER TABLE agent_events
    ADD COLUMN IF NOT EXISTS revision_wide UInt64 AFTER revision,
    ADD COLUMN IF NOT EXISTS reason LowCardinality(Nullable(String));
