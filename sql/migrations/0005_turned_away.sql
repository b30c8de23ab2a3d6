-- Contacts that the house turned away before any queue took them.
ALTER TABLE legs ADD COLUMN IF NOT EXISTS rejected UInt8 AFTER ivr_abandoned;

ALTER TABLE contacts ADD COLUMN IF NOT EXISTS rejected UInt8 AFTER short_abandoned;

ALTER TABLE kpi_windows
    ADD COLUMN IF NOT EXISTS rejected Int64 AFTER ivr_abandoned,
    ADD COLUMN IF NOT EXISTS rejected_closed Int64 AFTER rejected,
    ADD COLUMN IF NOT EXISTS rejected_full Int64 AFTER rejected_closed,
    ADD COLUMN IF NOT EXISTS rejected_empty Int64 AFTER rejected_full,
    ADD COLUMN IF NOT EXISTS rejected_blocked Int64 AFTER rejected_empty;
