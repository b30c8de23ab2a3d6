-- The first human reply to a customer, on the leg it came on, and the windows of it.
ALTER TABLE legs
    ADD COLUMN IF NOT EXISTS first_reply UInt8 AFTER handle_ms,
    ADD COLUMN IF NOT EXISTS first_response_ms Nullable(Int64) AFTER first_reply,
    ADD COLUMN IF NOT EXISTS first_response_created_ms Nullable(Int64) AFTER first_response_ms;

ALTER TABLE kpi_windows
    ADD COLUMN IF NOT EXISTS first_response_created_ms Int64 AFTER first_response_n,
    ADD COLUMN IF NOT EXISTS first_response_created_n Int64 AFTER first_response_created_ms,
    ADD COLUMN IF NOT EXISTS first_response_queued_ms Int64 AFTER first_response_created_n,
    ADD COLUMN IF NOT EXISTS first_response_queued_n Int64 AFTER first_response_queued_ms;
