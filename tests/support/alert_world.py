"""A queue for rules of every type: a morning, those of the weeks before, repeat contacts, legs that wait.

The clock of Europe/Rome is put forward on the day before.
"""

import random
from typing import Any

M, H, D, WEEK = 60_000, 3_600_000, 86_400_000, 604_800_000
BASE = 1_774_828_800_000  # Monday 2026-03-30T00:00Z
SPAN = (BASE, BASE + 9 * H)
ZONE = "Europe/Rome"


def minutes(rng: random.Random, begin: int, number: int, odd: bool) -> list[dict[str, Any]]:
    """Contacts in queue W. In `odd` hours there are bad ones, twice as many, and none."""
    found = []
    for at in range(begin, begin + number * M, M):
        hour = (at - BASE) // H
        n = rng.choice((0, 1, 2, 4)) * (2 if odd and hour in (3, 7) else 1)
        if n and not (odd and hour == 5):
            good = sum(rng.random() < (0.3 if odd and hour in (1, 7) else 0.9) for _ in range(n))
            sums = {"answered_in_target": good, "service_level_n": n, "abandoned": n - good, "offered": n,
                    "wait_n": n, "wait_ms": 9_000 * good + 60_000 * (n - good)}  # fmt: skip
            found.append({"window_start": at, "channel": "voice", "queue": "W"} | sums)
    return found


def windows(rng: random.Random) -> list[dict[str, Any]]:
    """Weeks, the oldest begins late but for a contact; and minutes of many in a queue hardly called."""
    found = minutes(rng, BASE - 3 * WEEK - H, 1, False) + minutes(rng, BASE - 3 * WEEK + 3 * H, 400, False)
    for week in (2, 1, 0):
        found += minutes(rng, BASE - week * WEEK - 5 * H, 15 * 60, week == 0)
    many = {"channel": "voice", "queue": "seldom", "offered": 12, "service_level_n": 12}
    return found + [many | {"window_start": BASE + hour * H + 7 * M} for hour in (2, 3, 6)]


def repeats(rng: random.Random) -> list[dict[str, Any]]:
    """Anchors judged by one day and by three, around the times at which they have these ages."""
    found = []
    for days in (1, 3):
        for at in range(BASE - days * D - 6 * H, BASE - days * D + 9 * H, 5 * M):
            n = rng.choice((0, 3, 5))
            bad = (at - BASE) // H % 6 == (1 if days == 1 else 4)
            failed = sum(rng.random() < (0.7 if bad else 0.1) for _ in range(n))
            place = {"window_start": at, "channel": "voice", "queue": "W", "days": days}
            found.append(
                place | {"anchors": n, "anchors_level1": n, "failed": failed, "failed_level1": failed}
            )
    return [one for one in found if one["anchors"]]


def legs(rng: random.Random) -> list[dict[str, Any]]:
    """Calls of two queues; in some hours they wait for long, and one is never answered."""
    found = []
    for number in range(300):
        entered = BASE + number * 108_000 + rng.randrange(60_000)
        wait = rng.randrange(20_000, 1_500_000 if number // 30 % 3 == 1 else 60_000)
        left = {} if number == 200 else {"answered_at": entered + wait, "ended_at": entered + wait + M}
        place = {"contact_id": f"w{number}", "leg": 1, "channel": "voice", "queue": rng.choice("WX")}
        times = {"entered_at": entered, "answered_at": None, "ended_at": None} | left
        handle = int(rng.lognormvariate(12.3, 0.8) * (3 if number // 60 % 3 == 1 else 1))
        handled = {"handled": int(bool(left)), "handle_ms": handle, "handled_at": entered + wait + M}
        found.append(place | times | handled | {"offered": 1, "version": 2})
    return found
