-- What of the waits lay within the business hours of the queue (docs/facts.md 3).
ALTER TABLE legs
    ADD COLUMN IF NOT EXISTS queue_business_ms Nullable(Int64) AFTER queue_ms;

ALTER TABLE kpi_windows
    ADD COLUMN IF NOT EXISTS wait_business_ms Int64 AFTER first_response_n,
    ADD COLUMN IF NOT EXISTS queue_business_ms Int64 AFTER wait_business_ms,
    ADD COLUMN IF NOT EXISTS first_response_business_ms Int64 AFTER queue_business_ms,
    ADD COLUMN IF NOT EXISTS answered_in_target_business Int64 AFTER first_response_business_ms;

-- Dimensions of one's own: brand, language, skill ... by name.
ALTER TABLE legs ADD COLUMN IF NOT EXISTS dimensions Map(LowCardinality(String), String) AFTER reason;

ALTER TABLE contacts ADD COLUMN IF NOT EXISTS dimensions Map(LowCardinality(String), String) AFTER reason;

ALTER TABLE surveys ADD COLUMN IF NOT EXISTS dimensions Map(LowCardinality(String), String) AFTER reason;
