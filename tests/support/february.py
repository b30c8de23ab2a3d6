"""The February 1999 oracle of the Anonymous Bank: computed outside of this project, twice (pandas, DuckDB).

Sums over all windows in the names of kpis.tallies.windows; seconds of the source are milliseconds here.
"""

ROWS = 33_344
PHANTOM = 278
TOTALS = {
    "contacts": 31_125 + 1_941,
    "contacts_ivr": 31_125 + 1_941,
    "offered": 31_125,
    "answered": 27_162,
    "abandoned": 3_963,
    "ivr_abandoned": 1_941,
    "flow_out": 0,
    "waiting": 0,
    "wait_ms": 1_107_512_000,
    "wait_n": 27_162,
    "queue_n": 31_125,
    "answered_in_target": 16_209,
    "abandoned_in_target": 1_257,
    "handled": 27_162,
    "handle_ms": 4_790_100_000,
    "talk_ms": 4_790_100_000,
    "hold_n": 0,
    "transferred_out": 0,
}
LONGEST_WAIT_MS = 908_000
LONGEST_TALK_MS = 4_264_000
TALK_UNDER_10_S = 1_819
WAIT_QUANTILES_MS = {0.5: 6_000, 0.9: 131_000, 0.95: 189_000}  # of answered calls, lower quantile
# Percentages and means as published, to the digits given.
ABANDONMENT_RATE_RAW = 12.733
ASA_S = 40.774
MEAN_WAIT_OFFERED_S = 43.926
MEAN_WAIT_ABANDONED_S = 65.530
AHT_S = 176.353
SERVICE_LEVEL_OFFERED = 52.077
SERVICE_LEVEL_ANSWERED = 59.675
SERVICE_LEVEL_IGNORE_ABANDONED = 54.269
SERVICE_LEVEL_POSITIVE_ABANDONED = 56.116  # (16,209 + 1,257) / 31,125
# Per type: answered, abandoned, sum of wait of answered (s), sum of talk (s).
BY_TYPE = {
    "PS": (18_349, 1_678, 659_092, 3_382_409),
    "NW": (4_990, 1_969, 276_496, 532_999),
    "NE": (2_520, 182, 128_019, 693_461),
    "TT": (984, 56, 17_816, 101_407),
    "IN": (199, 62, 20_128, 52_409),
    "PE": (120, 16, 5_961, 27_415),
}
# Agent: answered calls, talk (s).
TOP_AGENTS = {"IDIT": (1_957, 239_833), "YIFAT": (1_904, 293_886), "YITZ": (1_794, 311_842)}
# Window in days -> (answered contacts whose whole window lies in February, those with a repeat).
REPEATS = {7: (8_808, 5_365), 1: (11_301, 4_383)}
REPEATS_SAME_TYPE = {7: (8_808, 5_060)}
