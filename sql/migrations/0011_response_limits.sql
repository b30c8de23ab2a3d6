-- First response by length and in business hours, resolution in business hours.
ALTER TABLE legs
    ADD COLUMN IF NOT EXISTS first_response_created_business_ms Nullable(Int64) AFTER flags;

ALTER TABLE kpi_windows
    ADD COLUMN IF NOT EXISTS first_response_created_business_ms Int64,
    ADD COLUMN IF NOT EXISTS first_response_in_target Int64,
    ADD COLUMN IF NOT EXISTS first_response_30 Int64,
    ADD COLUMN IF NOT EXISTS first_response_60 Int64,
    ADD COLUMN IF NOT EXISTS first_response_120 Int64,
    ADD COLUMN IF NOT EXISTS first_response_300 Int64,
    ADD COLUMN IF NOT EXISTS first_response_900 Int64,
    ADD COLUMN IF NOT EXISTS first_response_1800 Int64,
    ADD COLUMN IF NOT EXISTS first_response_3600 Int64,
    ADD COLUMN IF NOT EXISTS first_response_14400 Int64,
    ADD COLUMN IF NOT EXISTS first_response_28800 Int64,
    ADD COLUMN IF NOT EXISTS first_response_86400 Int64,
    ADD COLUMN IF NOT EXISTS resolution_business_ms Int64,
    ADD COLUMN IF NOT EXISTS first_resolution_business_ms Int64;
