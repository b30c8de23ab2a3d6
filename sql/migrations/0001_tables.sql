-- Raw events: one wide table for all contact event types. A row is an event *variant*: the same event_id with
-- another revision or content is a row of its own, and the reader takes the greatest (revision, canonical).
CREATE TABLE IF NOT EXISTS events
(
    contact_id String,
    event_id String,
    revision UInt32,
    canonical String CODEC(ZSTD(1)),
    type LowCardinality(String),
    leg UInt32,
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    source LowCardinality(String),
    channel LowCardinality(String),
    direction LowCardinality(String),
    customer_key Nullable(String),
    reason LowCardinality(Nullable(String)),
    entry LowCardinality(String),
    callback_of Nullable(String),
    parent_contact_id Nullable(String),
    queue LowCardinality(Nullable(String)),
    agent LowCardinality(Nullable(String)),
    team LowCardinality(Nullable(String)),
    hold_no Nullable(UInt32),
    kind LowCardinality(String),
    to_queue LowCardinality(Nullable(String)),
    to_agent LowCardinality(Nullable(String)),
    place LowCardinality(String),
    by LowCardinality(String),
    outcome LowCardinality(String),
    level1_resolvable Nullable(UInt8),
    talk_ms Nullable(Int64),
    hold_ms Nullable(Int64),
    hold_n Nullable(Int64),
    hold_max_ms Nullable(Int64),
    acw_ms Nullable(Int64),
    score Nullable(Int32),
    scale_min Nullable(Int32),
    scale_max Nullable(Int32),
    higher_is_better Nullable(UInt8),
    respondent LowCardinality(String)
)
ENGINE = ReplacingMergeTree
PARTITION BY toYear(occurred_at)
PRIMARY KEY (contact_id, event_id)
ORDER BY (contact_id, event_id, revision, canonical);

-- Facts as the stream folds them. `version` = epoch * 2^40 + 1 + offset of the last event applied in the contact's
-- partition: within an epoch the greatest is right and a row sent again is identical. No column that a late
-- event can change stands in a sorting key; a leg that a correction took away leaves a row with is_deleted = 1.
CREATE TABLE IF NOT EXISTS contacts
(
    contact_id String,
    channel LowCardinality(String),
    direction LowCardinality(String),
    entry LowCardinality(String),
    customer_key Nullable(String),
    reason LowCardinality(String),
    callback_of Nullable(String),
    parent_contact_id Nullable(String),
    started_at DateTime64(3, 'UTC'),
    last_event_at DateTime64(3, 'UTC'),
    ended_at Nullable(DateTime64(3, 'UTC')),
    first_resolved_at Nullable(DateTime64(3, 'UTC')),
    last_resolved_at Nullable(DateTime64(3, 'UTC')),
    end_type LowCardinality(String),
    end_detail LowCardinality(String),
    end_by LowCardinality(String),
    entry_queue LowCardinality(String),
    queue LowCardinality(String),
    agent LowCardinality(String),
    team LowCardinality(String),
    legs UInt32,
    offered UInt8,
    handled UInt8,
    transfers UInt32,
    queue_ms Nullable(Int64),
    handle_ms Nullable(Int64),
    first_resolution_ms Nullable(Int64),
    full_resolution_ms Nullable(Int64),
    reopens UInt32,
    contained UInt8,
    level1_resolvable UInt8,
    flags Array(LowCardinality(String)),
    version UInt64,
    is_deleted UInt8
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY contact_id;

CREATE TABLE IF NOT EXISTS legs
(
    contact_id String,
    leg UInt32,
    channel LowCardinality(String),
    direction LowCardinality(String),
    queue LowCardinality(String),
    agent LowCardinality(String),
    team LowCardinality(String),
    reason LowCardinality(String),
    entered_at DateTime64(3, 'UTC'),
    answered_at Nullable(DateTime64(3, 'UTC')),
    ended_at Nullable(DateTime64(3, 'UTC')),
    handled_at Nullable(DateTime64(3, 'UTC')),
    end_type LowCardinality(String),
    end_detail LowCardinality(String),
    offered UInt8,
    handled UInt8,
    answered UInt8,
    abandoned UInt8,
    ivr_abandoned UInt8,
    flow_out UInt8,
    waiting UInt8,
    transferred_out UInt8,
    hold_abandon UInt8,
    queue_ms Nullable(Int64),
    talk_ms Nullable(Int64),
    hold_ms Int64,
    hold_n UInt32,
    hold_max_ms Int64,
    acw_ms Int64,
    acw_known UInt8,
    handle_ms Nullable(Int64),
    flags Array(LowCardinality(String)),
    version UInt64,
    is_deleted UInt8
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (contact_id, leg);

CREATE TABLE IF NOT EXISTS surveys
(
    contact_id String,
    kind LowCardinality(String),
    respondent LowCardinality(String),
    leg UInt32,
    responded_at DateTime64(3, 'UTC'),
    score Int32,
    scale_min Int32,
    scale_max Int32,
    higher_is_better UInt8,
    late UInt8,
    orphan UInt8,
    version UInt64,
    is_deleted UInt8
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (contact_id, kind, respondent);

-- Input that was no event: where it came from, why it was refused, and the original bytes. The same input
-- refused again (a file sent twice, a batch delivered twice) is the same row.
CREATE TABLE IF NOT EXISTS dead_letters
(
    partition UInt32,
    offset UInt64,
    origin String,
    position UInt64,
    reason LowCardinality(String),
    detail String,
    payload String CODEC(ZSTD(1)),
    failed_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (origin, position, sipHash64(payload));

-- The stream's KPI tables: one row per minute, channel, queue and source partition; sum over partitions to read.
-- Measures are defined in kpis/tallies/windows.py.
CREATE TABLE IF NOT EXISTS kpi_windows
(
    window_start DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    channel LowCardinality(String),
    queue LowCardinality(String),
    partition UInt32,
    offered Int64,
    answered Int64,
    abandoned Int64,
    short_abandoned Int64,
    flow_out Int64,
    waiting Int64,
    wait_ms Int64,
    wait_n Int64,
    abandon_wait_ms Int64,
    abandon_wait_n Int64,
    queue_ms Int64,
    queue_n Int64,
    answered_in_target Int64,
    abandoned_in_target Int64,
    service_level_n Int64,
    first_response_ms Int64,
    first_response_n Int64,
    handled Int64,
    handle_n Int64,
    handle_ms Int64,
    talk_ms Int64,
    acw_ms Int64,
    hold_ms Int64,
    hold_n Int64,
    held Int64,
    transferred_out Int64,
    contacts Int64,
    contacts_inbound Int64,
    contacts_outbound Int64,
    contacts_ivr Int64,
    contacts_ivr_abandoned Int64,
    ivr_abandoned Int64,
    ended Int64,
    ended_handled Int64,
    contact_handle_ms Int64,
    ended_transferred Int64,
    ended_bot Int64,
    contained Int64,
    resolution_ms Int64,
    resolution_n Int64,
    ever_resolved Int64,
    ever_reopened Int64,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (window_start, channel, queue, partition);
