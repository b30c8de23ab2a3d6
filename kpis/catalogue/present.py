"""KPIs of agents' time and of the present moment (docs/facts.md 9, 10)."""

from kpis.catalogue.figure import LongestWaitNow
from kpis.catalogue.kpi import AMAZON, CISCO, SPEC, Kpi

WAZO = "Wazo agent statistics"
PLANNING = "Workforce planning, concurrent AHT"

AGENTS = (
    Kpi("occupancy", "Occupancy", "ratio", "agent", "quarter",
        "Time busy with contacts of time busy or available; needs agent states.", AMAZON,
        {"logged_busy_ms": 1}, {"logged_busy_ms": 1, "idle_ms": 1}, table="agents"),
    Kpi("utilisation", "Utilisation", "ratio", "agent", "quarter",
        "Time busy or available of time logged on; needs agent states.", "Call Centre Helper",
        {"logged_busy_ms": 1, "idle_ms": 1}, {"logged_ms": 1}, table="agents"),
    Kpi("concurrency", "Concurrency", "number", "agent", "quarter",
        "Contacts at a time while busy: sum of session times by time busy.", PLANNING,
        {"session_ms": 1}, {"busy_ms": 1}, table="agents"),
    Kpi("concurrent_aht", "Concurrent average handle time", "ms", "agent", "quarter",
        "Time busy per finished session: what a contact costs where several are handled at once.", PLANNING,
        {"busy_ms": 1}, {"sessions": 1}, table="agents"),
)  # fmt: skip

STATES = (
    Kpi("login_time", "Login time", "ms", "agent", "quarter",
        "Time in any state but offline, that of the present state up to now; needs agent states.", WAZO,
        {"login_ms": 1}, table="states"),
    Kpi("pause_time", "Pause time", "ms", "agent", "quarter",
        "Time on break, in training or in meetings, that of the present state up to now; by reason as well.", WAZO,
        {"pause_ms": 1}, table="states"),
    Kpi("pause_time.break", "Pause time, breaks", "ms", "agent", "quarter",
        "Time on break.", SPEC, {"break_ms": 1}, table="states", variant_of="pause_time"),
    Kpi("pause_time.training", "Pause time, training", "ms", "agent", "quarter",
        "Time in training.", SPEC, {"training_ms": 1}, table="states", variant_of="pause_time"),
    Kpi("pause_time.meeting", "Pause time, meetings", "ms", "agent", "quarter",
        "Time in meetings.", SPEC, {"meeting_ms": 1}, table="states", variant_of="pause_time"),
    Kpi("pause_rate", "Pause rate", "ratio", "agent", "quarter",
        "Pause time of login time.", SPEC, {"pause_ms": 1}, {"login_ms": 1}, table="states"),
    Kpi("available_time", "Available time", "ms", "agent", "quarter",
        "Time in the state available, busy with a contact or not.", WAZO, {"available_ms": 1}, table="states"),
    Kpi("logins", "Logins", "count", "agent", "quarter",
        "Times that an agent went from offline, or from nothing known, to any other state.", SPEC,
        {"logins": 1}, table="states"),
)  # fmt: skip

LIVE = (
    Kpi("waiting_now", "Waiting now", "count", "leg", "as_of",
        "Legs in queue at this moment; silent ones drop out after the stale limit.", AMAZON,
        {"waiting_now": 1}, table="live"),
    Kpi("longest_wait_now", "Longest wait now", "ms", "leg", "as_of",
        "Age of the oldest leg in queue.", AMAZON, figure=LongestWaitNow()),
    Kpi("active_now", "Active now", "count", "leg", "as_of",
        "Legs connected to an agent, on hold included, after-contact work not.", AMAZON,
        {"active_now": 1}, table="live"),
    Kpi("acw_now", "In after-contact work now", "count", "leg", "as_of",
        "Legs whose agent is still wrapping up.", AMAZON, {"acw_now": 1}, table="live"),
    Kpi("service_level_live", "Service level, live", "ratio", "leg", "entered",
        "Answered within T of answered, abandoned and not short, flown out after T, and waiting for longer "
        "than T (SL9): a miss counts as soon as T has passed.", CISCO,
        {"live_in_target": 1}, {"live_n": 1}, table="live"),
)  # fmt: skip
