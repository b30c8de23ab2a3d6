"""The dashboard of alerts: episodes as the view `alert` has them."""

# ruff: noqa: S608 -- names are ours

from docs.build.grafana_panel import WIDTH, Panel

# An episode belongs to when it fired; it lasts until it is over, or until now.
FIRED = "$__timeFilter(fired_at)"
LASTED = "dateDiff('second', fired_at, ifNull(ended_at, now64(3, 'UTC')))"
ENDING = "if(ending = '', 'firing', ending) AS state"
FIRING_COUNT = Panel(
    "Firing now",
    "stat",
    "SELECT countIf(ending = '') AS firing FROM alert",
    {"firing": "none"},
    width=8,
    height=4,
    about="Episodes that are not over, whenever they fired.",
)
FIRED_COUNT = Panel(
    "Fired",
    "stat",
    f"SELECT count() AS fired FROM alert WHERE {FIRED}",
    {"fired": "none"},
    width=8,
    height=4,
)
TIME_TO_END = Panel(
    "Median time to the end",
    "stat",
    f"SELECT quantileExactOrNullIf(0.5)({LASTED}, ending != '') AS median_s FROM alert WHERE {FIRED}",
    {"median_s": "s"},
    width=8,
    height=4,
    about="Of episodes that are over, from when they fired.",
)
FIRING = Panel(
    "What fires now, the oldest first",
    "table",
    f"SELECT alert, channel, queue, kpi, fired_at, {LASTED} AS firing_s, successes, n, window_s FROM alert "
    "WHERE ending = '' ORDER BY fired_at",
    {"firing_s": "s", "window_s": "s"},
    width=WIDTH,
    about="successes of n is what was seen when it fired; for absence and seasonal n is what was expected.",
)
FIRED_BY_HOUR = Panel(
    "Fired in each hour",
    "timeseries",
    f"SELECT toStartOfHour(fired_at) AS time, alert AS series, count() AS fired FROM alert WHERE {FIRED} "
    "GROUP BY time, series ORDER BY time",
    {"fired": "none"},
)
RULES_SEEN = Panel(
    "Rules",
    "table",
    f"SELECT alert, count() AS fired, countIf(ending = '') AS firing, quantileExact(0.5)({LASTED}) "
    f"AS median_s, sum({LASTED}) AS total_s FROM alert WHERE {FIRED} "
    "GROUP BY alert ORDER BY fired DESC, alert",
    {"median_s": "s", "total_s": "s"},
    about="A rule that fires often and is over soon wants another threshold or a longer `for`.",
)
EPISODES = Panel(
    "Episodes, the latest first",
    "table",
    f"SELECT fired_at, ended_at, {LASTED} AS lasted_s, {ENDING}, alert, channel, queue, kpi, successes, n, "
    f"episode FROM alert WHERE {FIRED} ORDER BY fired_at DESC LIMIT 500",
    {"lasted_s": "s"},
    width=WIDTH,
    height=12,
)
ALERTS = (FIRING_COUNT, FIRED_COUNT, TIME_TO_END, FIRING, FIRED_BY_HOUR, RULES_SEEN, EPISODES)
