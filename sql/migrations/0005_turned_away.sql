-- Contacts that the house turned away before any queue took them; waits by length.
ALTER TABLE legs ADD COLUMN IF NOT EXISTS rejected UInt8 AFTER ivr_abandoned;

ALTER TABLE contacts ADD COLUMN IF NOT EXISTS rejected UInt8 AFTER short_abandoned;

ALTER TABLE kpi_windows
    ADD COLUMN IF NOT EXISTS rejected Int64 AFTER ivr_abandoned,
    ADD COLUMN IF NOT EXISTS rejected_closed Int64 AFTER rejected,
    ADD COLUMN IF NOT EXISTS rejected_full Int64 AFTER rejected_closed,
    ADD COLUMN IF NOT EXISTS rejected_empty Int64 AFTER rejected_full,
    ADD COLUMN IF NOT EXISTS rejected_blocked Int64 AFTER rejected_empty,
    ADD COLUMN IF NOT EXISTS answered_wait_10 Int64 AFTER first_response_n,
    ADD COLUMN IF NOT EXISTS answered_wait_15 Int64 AFTER answered_wait_10,
    ADD COLUMN IF NOT EXISTS answered_wait_20 Int64 AFTER answered_wait_15,
    ADD COLUMN IF NOT EXISTS answered_wait_30 Int64 AFTER answered_wait_20,
    ADD COLUMN IF NOT EXISTS answered_wait_45 Int64 AFTER answered_wait_30,
    ADD COLUMN IF NOT EXISTS answered_wait_60 Int64 AFTER answered_wait_45,
    ADD COLUMN IF NOT EXISTS answered_wait_90 Int64 AFTER answered_wait_60,
    ADD COLUMN IF NOT EXISTS answered_wait_120 Int64 AFTER answered_wait_90,
    ADD COLUMN IF NOT EXISTS answered_wait_180 Int64 AFTER answered_wait_120,
    ADD COLUMN IF NOT EXISTS answered_wait_300 Int64 AFTER answered_wait_180,
    ADD COLUMN IF NOT EXISTS abandoned_wait_10 Int64 AFTER answered_wait_300,
    ADD COLUMN IF NOT EXISTS abandoned_wait_15 Int64 AFTER abandoned_wait_10,
    ADD COLUMN IF NOT EXISTS abandoned_wait_20 Int64 AFTER abandoned_wait_15,
    ADD COLUMN IF NOT EXISTS abandoned_wait_30 Int64 AFTER abandoned_wait_20,
    ADD COLUMN IF NOT EXISTS abandoned_wait_45 Int64 AFTER abandoned_wait_30,
    ADD COLUMN IF NOT EXISTS abandoned_wait_60 Int64 AFTER abandoned_wait_45,
    ADD COLUMN IF NOT EXISTS abandoned_wait_90 Int64 AFTER abandoned_wait_60,
    ADD COLUMN IF NOT EXISTS abandoned_wait_120 Int64 AFTER abandoned_wait_90,
    ADD COLUMN IF NOT EXISTS abandoned_wait_180 Int64 AFTER abandoned_wait_120,
    ADD COLUMN IF NOT EXISTS abandoned_wait_300 Int64 AFTER abandoned_wait_180;
