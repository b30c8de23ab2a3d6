# ruff: noqa: E501  # a table, one call a row
"""A small made-up call log in the layout of the Anonymous Bank, with every trap of the real ones in it."""

import gzip
from dataclasses import dataclass, field
from pathlib import Path

HEADER = (
    "vru+line\tcall_id\tcustomer_id\tpriority\ttype\tdate\tvru_entry\tvru_exit\tvru_time\tq_start\tq_exit\tq_time"
    "\toutcome\tser_start\tser_exit\tser_time\tserver"
)
# One row a line, columns by "|"; the comment says which trap it is.
ROWS: tuple[tuple[str, str], ...] = (
    ("AA0101|1|9000001|2|PS|990301|9:00:00|9:00:10|10|9:00:10|9:00:25|15|AGENT|9:00:24|9:02:25|121|MAYA", "plain"),
    ("AA0101|2|0|0|PS|990301|9:10:00|9:10:05|5|0:00:00|0:00:00|0|AGENT|9:10:04|9:10:44|40|MAYA", "never queued"),
    ("AA0101|3|9000002|1|NE|990301|9:20:00|9:20:08|8|9:20:08|9:21:38|90|HANG|0:00:00|0:00:00|0|NO_SERVER", "left"),
    ("AA0101|4|9000002|1|NE|990301|9:22:00|9:22:08|8|9:22:08|9:22:11|3|HANG|0:00:00|0:00:00|0|NO_SERVER", "short"),
    ("AA0101|5|0|0|PS|990301|9:30:00|9:30:20|20|0:00:00|0:00:00|0|HANG|0:00:00|0:00:00|0|NO_SERVER", "IVR only"),
    ("AA0101|6|0|0       TT|990301|9:31:00|9:31:20|20|0:00:00|0:00:00|0|HANG|0:00:00|0:00:00|0|NO_SERVER", "shifted"),
    ("AA0101|7|0|0       TT|990301|9:32:00|9:32:20|20|0:00:00|0:00:00|0|HANG|0:00:00|0:00:00|0|NO_SERVER|", "padded"),
    ("AA0101|8|0|0|PS|990301|9:40:00|9:40:01|1|9:40:01|9:40:02|1|PHANTOM|0:00:00|0:00:00|0|NO_SERVER", "phantom"),
    ("AA0102|1|9000003|2| NW  |990301|10:00:00|10:00:05|5|10:00:05|10:00:25|20|AGENT|10:00:20|10:01:25|60|MAYA", "spaces"),
    ("AA0102|2|9000003|2|AA|990301|10:05:00|10:05:05|5|10:05:05|10:05:26|21|AGENT|10:05:26|10:06:26|60|MAYA", "type AA"),
    ("AA0102|3|0|0|PS|990301|10:10:00|10:10:05|5|10:10:05|10:10:10|5|AGENT|10:10:10|10:11:10|60|NO_SERVERAMA", "NAAMA"),
    ("AA0102|4|0|0|PS|990301|10:20:00|10:20:05|5|10:20:05|10:20:10|5|AGENT|10:20:10|10:21:10|60|ANO_SERVERT", "ANAT"),
    ("AA0102|5|0|0|PS|990301|10:30:00|10:30:05|5|10:30:05|10:30:10|5|AGENT|10:30:10|10:31:10|60|NO_SERVER", "no agent"),
    ("AA0102|6|0|0|PS|990301|10:40:00|10:40:05|5|10:40:05|10:40:10|5|AGENT|10:40:10|10:40:10|0|MAYA", "0 s service"),
    ("AA0102|7|0|0|PS|990301|10:50:00|10:48:30|-90|10:48:30|10:48:50|20|AGENT|10:48:50|10:49:50|60|MAYA", "backwards"),
    ("AA0103|1|0|0|IN|990301|23:59:50|0:00:05|15|0:00:05|0:00:35|30|AGENT|0:00:35|0:01:35|60|MAYA", "over midnight"),
    ("AA0103|2|0|0|IN|990301|23:59:30|23:59:59|29|0:00:00|0:00:40|40|AGENT|0:00:40|0:01:40|60|MAYA", "at midnight"),
    ("AA0103|3|0|0|IN|990302|0:00:10|23:59:40|-30|23:59:40|0:00:00|20|AGENT|0:00:00|0:01:00|60|MAYA", "back over it"),
    ("AA0104|1|0|0|PS|990301|11:00:00|11:00:05|5|11:00:05|11:00:10|five|AGENT|11:00:10|11:01:10|60|MAYA", "!bad_number"),
    ("AA0104|2|0|0|PS|990301|11:00:00|11:00:05|5|11:00:05|11:00:10|-5|AGENT|11:00:10|11:01:10|60|MAYA", "!bad_number"),
    ("AA0104|3|0|0|PS|990301|25:00:00|11:00:05|5|11:00:05|11:00:10|5|AGENT|11:00:10|11:01:10|60|MAYA", "!bad_time"),
    ("AA0104|4|0|0|PS|991301|11:00:00|11:00:05|5|11:00:05|11:00:10|5|AGENT|11:00:10|11:01:10|60|MAYA", "!bad_date"),
    ("AA0104|5|0|0|PS|990301|11:00:00|11:00:05|5|11:00:05|11:00:10|5|LOST|11:00:10|11:01:10|60|MAYA", "!unknown_outcome"),
    ("AA0104|6|9000001|0", "!wrong_columns"),
    ("AA0104|7|9000001|0|PS|990301|11:00:00|11:00:05|5|11:00:05|11:00:10|5|AGENT|11:00:10|11:01:10|60|\xff", "!invalid_utf8"),
    ("AA0104||0|0|PS|990301|11:00:00|11:00:05|5|11:00:05|11:00:10|5|AGENT|11:00:10|11:01:10|60|MAYA", "!no_identity"),
)  # fmt: skip


@dataclass(frozen=True)
class Expected:
    """What an import of the file must give; totals in the names of kpis.tallies.windows."""

    totals: dict[str, int]
    contacts: int
    events: int
    phantom: int
    rejected: list[tuple[int, str]]  # line number, reason
    by_queue: dict[str, tuple[int, int]] = field(default_factory=dict)  # answered, abandoned


EXPECTED = Expected(
    totals={
        "contacts": 17,
        "offered": 14,
        "answered": 12,
        "abandoned": 2,
        "short_abandoned": 1,
        "ivr_abandoned": 3,
        "wait_ms": (15 + 0 + 20 + 21 + 5 * 4 + 20 + 30 + 40 + 20) * 1000,
        "wait_n": 12,
        "abandon_wait_ms": 93_000,
        "answered_in_target": 9,
        "abandoned_in_target": 1,
        "service_level_n": 13,
        "handled": 12,
        "talk_ms": (121 + 40 + 60 * 5 + 0 + 60 + 60 * 3) * 1000,
        "ended": 17,
    },
    contacts=17,
    events=12 * 4 + 2 * 3 + 3 * 2,
    phantom=1,
    rejected=[(number, trap[1:]) for number, (_, trap) in enumerate(ROWS, start=2) if trap.startswith("!")],
    by_queue={"PS": (7, 0), "NE": (0, 2), "NW": (1, 0), "AA": (1, 0), "IN": (3, 0)},
)


def line_number(trap: str) -> int:
    """Number of the line that holds a trap."""
    return next(number for number, (_, name) in enumerate(ROWS, start=2) if name == trap)


def bank_bytes() -> bytes:
    """The file as it lies on disk, unpacked: tabs, Latin-1 where it is not ASCII."""
    lines = [HEADER, *(row.replace("|", "\t") for row, _ in ROWS)]
    return ("\n".join(lines) + "\n").encode("latin-1")


def write_bank_file(path: Path) -> Expected:
    """Write the file (packed if the name ends in .gz) and say what an import of it gives."""
    data = bank_bytes()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return EXPECTED
