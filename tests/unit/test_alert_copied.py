"""The ledger of alerts, copied row by row: elsewhere it is the same, whatever happened to it."""

import random
from pathlib import Path

from alerts.copied import TABLES, changed, is_copied, replace_all, track, track_all
from alerts.ledger import Ledger
from alerts.silences import Silences, asked_in, new_row, record_of
from kpis.dips.machine import Standing

LABELS = (("queue", "sales"),)


def tracked(path: Path) -> Ledger:
    ledger = Ledger(path)
    Silences(ledger)
    track(ledger.db)
    return ledger


def content(ledger: Ledger) -> dict[str, list[tuple[object, ...]]]:
    every = "SELECT rowid, * FROM {} ORDER BY rowid"
    return {name: ledger.db.execute(every.format(name)).fetchall() for name in TABLES}


def anything(rng: random.Random, ledger: Ledger, number: int) -> None:
    """What an evaluator, its sender and a person do."""
    match rng.randrange(7):
        case 0:
            ledger.advance(rng.choice("gh"), number)
        case 1:
            ledger.stand(f"A{rng.randrange(3)}", LABELS, Standing("pending", number))
        case 2:
            episode = ledger.record("A", LABELS, "firing", number, number, {"n": 3}, number)
            ledger.enqueue(episode, "firing", "ops", {"status": "firing"}, number)
        case 3:
            if outgoing := ledger.claim(number):
                ledger.settle(outgoing.id, rng.choice(("sent", "dead")), "", number)
        case 4:
            Silences(ledger).add({"queue": "sales"}, number, number + 9, "me", "", number)
        case 5:
            ledger.db.execute("DELETE FROM standing WHERE alert = 'A1'")
        case 6:
            with ledger.transaction():
                ledger.advance("g", number)
                ledger.stand("A0", LABELS, Standing("firing", number))


def test_copied_now_and_then_it_is_the_same(tmp_path: Path) -> None:
    rng, before, other = random.Random(4), Ledger(tmp_path / "one"), tracked(tmp_path / "other")
    anything(rng, before, 0)
    before.advance("of before", 1)
    before.close()
    one = tracked(tmp_path / "one")
    track_all(one.db)
    copied: dict[bytes, bytes] = {}
    for number in range(1, 400):
        anything(rng, one, number)
        if rng.random() < 0.2:
            rows = changed(one.db)
            if rng.random() < 0.3:
                continue  # it did not come through: it is copied once more
            copied.update({key: value for key, value in rows.items() if value is not None})
            for key in (key for key, value in rows.items() if value is None):
                copied.pop(key, None)
            anything(rng, one, number)  # while it was on its way
            with one.transaction():
                is_copied(one.db, rows)
    while rows := changed(one.db):
        copied.update({key: value for key, value in rows.items() if value is not None})
        for key in (key for key, value in rows.items() if value is None):
            copied.pop(key, None)
        is_copied(one.db, rows)
    anything(rng, other, 1_000)  # what one that was stopped and woken decided goes
    with other.transaction():
        replace_all(other.db, copied.items())
    assert content(other) == content(one)
    assert all(content(one).values())
    assert changed(other.db) == {}
    one.close()
    other.close()


def test_silences_of_other_machines_stand_beside_the_copied_rows(tmp_path: Path) -> None:
    """They are no rows of the ledger's tables; the last record of one holds, and it is copied only once."""
    one, other = tracked(tmp_path / "one"), tracked(tmp_path / "other")
    Silences(one).add({"queue": "sales"}, 1, 9, "me", "own", 1)
    made = new_row({"queue": "support"}, 1, 9, "you", "elsewhere", 1)
    topic = {key: value for key, value in changed(one.db).items() if value is not None}
    topic |= dict([record_of(made)])
    with other.transaction():
        replace_all(other.db, topic.items())
    assert [each.comment for each in Silences(other).all()] == ["own"]
    taken = [asked_in(*each) for each in topic.items()]
    assert taken.count(None) == len(topic) - 1
    for row in (made, made, (*made[:3], 5, *made[4:])):
        record = record_of(row)
        assert asked_in(*record) == row
        Silences(other).put(row)
    assert [(each.comment, each.ends) for each in Silences(other).all()] == [("elsewhere", 5), ("own", 9)]
    rows = changed(other.db)
    assert len(rows) == 1
    with other.transaction():
        is_copied(other.db, rows)
    Silences(other).put((*made[:3], 5, *made[4:]))
    assert changed(other.db) == {}
