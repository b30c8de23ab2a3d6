-- The first human reply to a customer, on the leg it came on; contacts over all their queues, and their links.
ALTER TABLE legs
    ADD COLUMN IF NOT EXISTS first_reply UInt8 AFTER handle_ms,
    ADD COLUMN IF NOT EXISTS first_response_ms Nullable(Int64) AFTER first_reply,
    ADD COLUMN IF NOT EXISTS first_response_created_ms Nullable(Int64) AFTER first_response_ms;

ALTER TABLE contacts
    ADD COLUMN IF NOT EXISTS answered UInt8 AFTER short_abandoned,
    ADD COLUMN IF NOT EXISTS abandoned UInt8 AFTER answered,
    ADD COLUMN IF NOT EXISTS wait_ms Nullable(Int64) AFTER abandoned,
    ADD COLUMN IF NOT EXISTS agent_replies UInt32 AFTER wait_ms,
    ADD COLUMN IF NOT EXISTS reply_ms Int64 AFTER agent_replies,
    ADD COLUMN IF NOT EXISTS reply_n UInt32 AFTER reply_ms,
    ADD COLUMN IF NOT EXISTS customer_wait_ms Int64 AFTER reply_n,
    ADD COLUMN IF NOT EXISTS closed_at Nullable(DateTime64(3, 'UTC')) AFTER customer_wait_ms,
    ADD COLUMN IF NOT EXISTS consult_of Nullable(String) AFTER closed_at,
    ADD COLUMN IF NOT EXISTS forwarded_from Nullable(String) AFTER consult_of;

ALTER TABLE kpi_windows
    ADD COLUMN IF NOT EXISTS first_response_created_ms Int64 AFTER first_response_n,
    ADD COLUMN IF NOT EXISTS first_response_created_n Int64 AFTER first_response_created_ms,
    ADD COLUMN IF NOT EXISTS first_response_queued_ms Int64 AFTER first_response_created_n,
    ADD COLUMN IF NOT EXISTS first_response_queued_n Int64 AFTER first_response_queued_ms,
    ADD COLUMN IF NOT EXISTS contact_offered Int64 AFTER ivr_abandoned,
    ADD COLUMN IF NOT EXISTS contact_answered Int64 AFTER contact_offered,
    ADD COLUMN IF NOT EXISTS contact_abandoned Int64 AFTER contact_answered,
    ADD COLUMN IF NOT EXISTS contact_short_abandoned Int64 AFTER contact_abandoned,
    ADD COLUMN IF NOT EXISTS contact_waiting Int64 AFTER contact_short_abandoned,
    ADD COLUMN IF NOT EXISTS contact_wait_ms Int64 AFTER contact_waiting,
    ADD COLUMN IF NOT EXISTS contact_wait_n Int64 AFTER contact_wait_ms,
    ADD COLUMN IF NOT EXISTS contact_abandon_wait_ms Int64 AFTER contact_wait_n,
    ADD COLUMN IF NOT EXISTS contact_abandon_wait_n Int64 AFTER contact_abandon_wait_ms,
    ADD COLUMN IF NOT EXISTS contact_queue_ms Int64 AFTER contact_abandon_wait_n,
    ADD COLUMN IF NOT EXISTS contact_queue_n Int64 AFTER contact_queue_ms,
    ADD COLUMN IF NOT EXISTS contact_in_target Int64 AFTER contact_queue_n,
    ADD COLUMN IF NOT EXISTS contact_service_level_n Int64 AFTER contact_in_target,
    ADD COLUMN IF NOT EXISTS written Int64 AFTER ended_known,
    ADD COLUMN IF NOT EXISTS written_solved Int64 AFTER written,
    ADD COLUMN IF NOT EXISTS one_touch Int64 AFTER written_solved,
    ADD COLUMN IF NOT EXISTS replies Int64 AFTER one_touch,
    ADD COLUMN IF NOT EXISTS reply_ms Int64 AFTER replies,
    ADD COLUMN IF NOT EXISTS reply_n Int64 AFTER reply_ms,
    ADD COLUMN IF NOT EXISTS customer_wait_ms Int64 AFTER reply_n,
    ADD COLUMN IF NOT EXISTS closed Int64 AFTER customer_wait_ms,
    ADD COLUMN IF NOT EXISTS resolutions Int64 AFTER abandonments;
