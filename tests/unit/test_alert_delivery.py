"""Evaluator, outbox and sender under kills: who is told, how often, and in which order."""

import base64
import hashlib
import hmac
import os
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import orjson
import pytest
from support.alert_kills import (
    BASE,
    HOOK,
    Dying,
    Killed,
    M,
    Provider,
    all_is_told,
    evaluate,
    evaluator,
    group,
    transitions,
    world,
)

from alerts.evaluate import Evaluator
from alerts.ledger import Ledger, Outgoing
from alerts.notify.forms import request_of
from alerts.notify.post import Delivery, Request, judged, post
from alerts.notify.sender import send_due, wait_ms
from alerts.receivers import Alertmanager, Secret, Slack, Webhook
from alerts.route import Route
from alerts.rule import RuleFile
from alerts.watching import body
from kpis.rules import DEFAULT_RULES
from reports.minutes import MinuteSums


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[MinuteSums], list[tuple[Any, ...]]]:
    """Half a day, evaluated once, by a process that nothing happens to."""
    minutes = world(random.Random(7), 12 * 60)
    ledger = Ledger(tmp_path_factory.mktemp("whole") / "a.sqlite")
    evaluate(evaluator(ledger), group(), minutes, 0, 12 * 60)
    return minutes, transitions(ledger)


def test_there_is_something_to_tell(expected: tuple[list[MinuteSums], list[tuple[Any, ...]]]) -> None:
    kinds = [row[2] for row in expected[1]]
    assert kinds.count("firing") >= 3
    assert kinds.count("resolved") >= 3


def waiting(path: Path) -> int:
    """How many notifications wait, seen from beside."""
    ledger = Ledger(path)
    found = ledger.counts().get("waiting", 0)
    ledger.close()
    return found


def dying(path: Path, provider: Provider) -> Ledger:
    ledger = Ledger(path)
    ledger._db = Dying(ledger._db, provider)  # type: ignore[assignment]
    return ledger


@pytest.mark.parametrize("seed", range(int(os.environ.get("RINGBACK_ALERT_KILL_SEEDS", "2"))))
def test_killed_anywhere_everything_is_told_once(
    tmp_path: Path,
    expected: tuple[list[MinuteSums], list[tuple[Any, ...]]],
    seed: int,
    record_property: Callable[[str, object], None],
) -> None:
    """Some hundred kills a seed, around any statement and post; RINGBACK_ALERT_KILL_SEEDS for more."""
    minutes, whole = expected
    rng, now, kills = random.Random(seed), 0, 0
    provider = Provider(rng, 0.25)
    path = tmp_path / "a.sqlite"
    ledger = dying(path, provider)
    while now < 12 * 60 or waiting(path):
        now += 1
        clock = BASE + min(now, 12 * 60) * M + max(0, now - 12 * 60) * M
        try:
            begin = ledger.position("g")
            start = 0 if begin is None else (begin - BASE) // M
            if rng.random() < 0.3:
                provider.die()
            if start < min(now, 12 * 60):
                evaluate(evaluator(ledger, "hook"), group(), minutes, start, min(now, 12 * 60))
            if rng.random() < 0.3:
                provider.die()
            send_due(ledger, {"hook": HOOK}, lambda clock=clock: clock, provider.post)  # type: ignore[misc]
        except Killed:
            kills += 1
            ledger.close()
            ledger = dying(path, provider)
    ledger.close()
    ledger = Ledger(path)
    assert kills > 60
    # To a receiver that knows keys nothing is missing and nothing is extra; to a plain one some come twice.
    print(f"kills {kills}, told {len(provider.told)}, posts {provider.posts}")
    record_property("kills", kills)
    assert transitions(ledger) == whole
    all_is_told(provider, ledger, whole)
    assert ledger.counts().get("dead", 0) == 0
    ledger.close()


def test_what_is_old_is_recorded_and_not_told(
    tmp_path: Path, expected: tuple[list[MinuteSums], list[tuple[Any, ...]]]
) -> None:
    ledger = Ledger(tmp_path / "a.sqlite")
    evaluate(evaluator(ledger, "hook"), group(), expected[0], 0, 12 * 60)
    assert transitions(ledger) == expected[1]
    ledger.close()


def test_after_an_outage_what_still_fires_is_told_and_the_rest_in_one_digest(tmp_path: Path) -> None:
    """Queue A dips from 1:00 to 2:00 and is well again, B from 3:00 on; nothing ran from 0:30 to 4:00."""
    ledger, minutes = Ledger(tmp_path / "a.sqlite"), []
    for number in range(260):
        for queue, bad in (("A", 60 <= number < 120), ("B", number >= 180)):
            sums = {"answered_in_target": 1 if bad else 5, "service_level_n": 5}
            minutes.append(MinuteSums(BASE + number * M, "voice", queue, sums))
    evaluate(evaluator(ledger, "hook"), group(), minutes, 0, 30)
    assert ledger.counts() == {}
    own = evaluator(ledger, "hook")
    own.receivers = [HOOK, HOOK.model_copy(update={"name": "other", "only": {"queue": ("B",)}})]
    evaluate(own, group(), minutes, 30, 240)
    rows = ledger.db.execute("SELECT kind, receiver FROM outbox ORDER BY 1, 2").fetchall()
    assert rows == [("digest", "hook"), ("firing", "hook"), ("firing", "other")]  # it wants nothing of A
    told: list[dict[str, Any]] = []

    def noting(request: Request) -> Delivery:
        told.append(orjson.loads(request.body))
        return Delivery("sent")

    ledger.db.execute("DELETE FROM outbox WHERE receiver = 'other'")
    assert send_due(ledger, {"hook": HOOK}, lambda: BASE + 240 * M, noting) == 2
    by_status = {each["status"]: each for each in told}
    assert by_status["firing"]["labels"]["queue"] == "B"
    assert by_status["firing"]["opened_at"].startswith("2026-01-05T03:0")
    assert "1 alerts fired and ended" in by_status["digest"]["annotations"]["summary"]
    assert "Low A" in by_status["digest"]["annotations"]["summary"]


def test_of_an_outage_of_an_hour_is_told_what_still_fires_and_once_what_does_not(tmp_path: Path) -> None:
    """Of thirty queues five dip for good, four within the outage: some of these ends are minutes old."""
    ledger, minutes, told = Ledger(tmp_path / "a.sqlite"), [], list[dict[str, Any]]()
    for number in range(240):
        for queue in range(30):
            still, within = queue < 5 and number >= 130, 5 <= queue < 9 and 0 <= number - 110 - 3 * queue < 15
            told_before = queue == 9 and 60 <= number < 125
            sums = {"answered_in_target": 0 if still or within or told_before else 5, "service_level_n": 5}
            minutes.append(MinuteSums(BASE + number * M, "voice", f"q{queue}", sums))

    def noting(request: Request) -> Delivery:
        told.append(orjson.loads(request.body))
        return Delivery("sent")

    def said(begin: int, end: int) -> list[tuple[str, str]]:
        """By a process of its own, as after an outage."""
        told.clear()
        evaluate(evaluator(ledger, "hook"), group(), minutes, begin, end)
        send_due(ledger, {"hook": HOOK}, lambda: BASE + end * M, noting)
        return sorted((each["status"], each["labels"].get("queue", "")) for each in told)

    assert said(0, 120) == [("firing", "q9")]
    assert said(120, 180) == [("digest", ""), *(("firing", f"q{n}") for n in range(5)), ("resolved", "q9")]
    (digest,) = [each for each in told if each["status"] == "digest"]
    assert digest["annotations"]["summary"].startswith("4 alerts fired and ended")
    assert [each["labels"]["queue"] for each in digest["alerts"]] == ["q5", "q6", "q7", "q8"]
    ends = [at - BASE for _, labels, kind, at, _ in transitions(ledger) if kind == "resolved"]
    assert any(at > 150 * M for at in ends)
    assert said(180, 240) == []


def test_what_fires_by_a_rule_that_was_removed_is_said_to_be_over(tmp_path: Path) -> None:
    """To whom its beginning was told, and to nobody else; what other rules say goes on."""
    ledger, minutes = Ledger(tmp_path / "a.sqlite"), []
    for number in range(60):
        sums = {"answered_in_target": 1, "service_level_n": 5}
        minutes += [MinuteSums(BASE + number * M, "voice", queue, sums) for queue in ("A", "B")]
    for alert in ("Low", "Other"):
        own = evaluator(ledger, "hook", "late") if alert == "Low" else evaluator(ledger)
        evaluate(own, group(alert=alert).model_copy(update={"name": alert}), minutes, 0, 30)
    told: list[dict[str, Any]] = []

    def noting(request: Request) -> Delivery:
        told.append(orjson.loads(request.body))
        return Delivery("sent")

    now, hooks = BASE + 31 * M, {"hook": HOOK}
    assert send_due(ledger, hooks, lambda: now, noting) == 2
    kept = RuleFile.model_construct(version=1, groups=(group(alert="Other"),))
    own = evaluator(ledger, "hook")
    assert own.retire(kept, now + M) == 2
    assert own.retire(kept, now + 2 * M) == 0
    assert {alert for alert, _ in ledger.firing()} == {"Other"}
    assert send_due(ledger, hooks, lambda: now + M, noting) == 2
    ended = told[2:]
    assert [(each["status"], each["reason"]) for each in ended] == [("resolved", "rule_removed")] * 2
    assert sorted(each["labels"]["queue"] for each in ended) == ["A", "B"]
    evaluate(own, group(), minutes, 32, 60)  # back again: a new episode
    assert [each[2] for each in transitions(ledger) if each[0] == "Low"].count("firing") == 4


def test_what_was_given_up_can_be_tried_again(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "a.sqlite")
    for name in ("e", "f"):
        ledger.enqueue(name, "firing", "hook", body("a dip", BASE), BASE)
    send_due(ledger, {"hook": HOOK}, lambda: BASE, lambda _: Delivery("refused", "status 404"))
    assert ledger.counts() == {"dead": 2}
    assert ledger.retry("e-firing-gone", BASE + M) == 0
    assert ledger.retry("e-firing-hook", BASE + M) == 1
    assert ledger.retry(None, BASE + M) == 1
    assert send_due(ledger, {"hook": HOOK}, lambda: BASE + M, lambda _: Delivery("sent")) == 2
    assert ledger.retry(None, BASE + M) == 0


def test_what_is_over_by_now_is_not_tried_again(tmp_path: Path) -> None:
    """Its end was not told, as nobody had heard of the beginning: told now it would never end."""
    ledger, labels = Ledger(tmp_path / "a.sqlite"), (("queue", "A"),)
    for alert in ("Over", "Fires"):
        episode = ledger.record(alert, labels, "firing", BASE, BASE, {}, BASE)
        ledger.enqueue(episode, "firing", "hook", body("a dip", BASE), BASE)
    send_due(ledger, {"hook": HOOK}, lambda: BASE, lambda _: Delivery("refused", "status 404"))
    over = ledger.record("Over", labels, "expired", BASE + M, BASE, {}, BASE + M)
    ledger.enqueue(over, "expired", "hook", body("a dip", BASE), BASE + M)
    assert ledger.counts() == {"dead": 2}
    assert ledger.retry(None, BASE + 2 * M) == 1
    assert ledger.counts() == {"dropped": 1, "waiting": 1}


def test_a_dead_receiver_is_given_up_and_said(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "a.sqlite")
    ledger.enqueue("e", "firing", "hook", {}, BASE)
    ledger.enqueue("e", "firing", "gone", {}, BASE)
    refused = Delivery("refused", "status 404")
    assert send_due(ledger, {"hook": HOOK}, lambda: BASE, lambda _: refused) == 0
    assert ledger.counts() == {"dead": 2}


@pytest.mark.parametrize(("severity", "hours"), [("page", 1), ("other", 1), ("ticket", 24)])
def test_an_hour_of_failures_ends_in_a_dead_letter_and_a_day_of_a_ticket(
    tmp_path: Path, severity: str, hours: int
) -> None:
    ledger, clock, longest = Ledger(tmp_path / "a.sqlite"), BASE, hours * 3_600_000
    ledger.enqueue("e", "firing", "hook", {"labels": {"severity": severity}}, BASE)
    while ledger.counts() == {"waiting": 1}:
        clock += 60_000
        send_due(ledger, {"hook": HOOK}, lambda at=clock: at, lambda _: Delivery("again", "status 500"))  # type: ignore[misc]
        assert clock - BASE < longest + 3_600_000
    assert ledger.counts() == {"dead": 1}
    assert clock - BASE >= longest


def test_waits_are_bounded_and_as_long_as_asked_for() -> None:
    assert all(0 <= wait_ms(tries, 0) <= 300_000 for tries in range(1, 60))
    assert wait_ms(1, 120) >= 120_000


class Server(BaseHTTPRequestHandler):
    """Notes what it gets; answers what its path says."""

    got: list[tuple[str, dict[str, str], bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append((self.path, dict(self.headers), body))
        status = int(self.path.split("/")[1]) if self.path[1:4].isdigit() else 200
        self.send_response(status)
        if status in (301, 429):
            self.send_header("Retry-After", "7")
            self.send_header("Location", "/200")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def server() -> Iterator[tuple[str, list[tuple[str, dict[str, str], bytes]]]]:
    handler = type("Noting", (Server,), {"got": []})
    http = HTTPServer(("127.0.0.1", 0), handler)
    Thread(target=http.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{http.server_port}", handler.got  # type: ignore[attr-defined]
    http.shutdown()
    http.server_close()


@pytest.mark.parametrize(
    ("path", "outcome"),
    [
        ("/200", "sent"),
        ("/204", "sent"),
        ("/301", "refused"),
        ("/400", "refused"),
        ("/429", "again"),
        ("/503", "again"),
    ],
)
def test_answers(server: tuple[str, list[Any]], path: str, outcome: str) -> None:
    done = post(Request(server[0] + path, b"{}", {}, allow_private=True))
    assert done.outcome == outcome
    assert len(server[1]) == 1  # a redirect is not followed
    assert done.wait_s == (7.0 if path == "/429" else 0.0)


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:1/x", "http://localhost/x", "http://[::1]/x", "http://169.254.169.254/latest", "http://10.0.0.1/",
     "http://[::ffff:127.0.0.1]/", "file:///etc/passwd", "gopher://x/", "http:///x"],
)  # fmt: skip
def test_addresses_of_this_machine_and_network_are_refused(url: str) -> None:
    assert post(Request(url, b"", {}, allow_private=False)).outcome == "refused"


def test_nobody_there_is_tried_again() -> None:
    assert post(Request("http://127.0.0.1:1/x", b"", {}, allow_private=True)).outcome == "again"
    assert judged(500, "nonsense").wait_s == 0.0


def test_forms(server: tuple[str, list[Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each receiver gets the message in its own form, over a socket."""
    url, got = server
    key = base64.b64encode(b"k" * 24).decode()
    monkeypatch.setenv("HOOK_SECRET", f"whsec_{key}")
    monkeypatch.setenv("SLACK_URL", f"{url}/slack")
    ledger = Ledger(tmp_path / "a.sqlite")
    minutes = world(random.Random(7), 100)
    evaluate(evaluator(ledger, "hook", "chat", "am"), group(max_age="7d"), minutes, 0, 100)
    receivers = {
        "hook": Webhook(name="hook", type="webhook", url=f"{url}/hook", secret=Secret(env="HOOK_SECRET"),
                        allow_private=True),
        "chat": Slack(name="chat", type="slack", url=Secret(env="SLACK_URL"), allow_private=True),
        "am": Alertmanager(name="am", type="alertmanager", url=url, allow_private=True),
    }  # fmt: skip
    assert send_due(ledger, receivers, lambda: BASE + 100 * M) >= 3
    by_path = {path: (headers, body) for path, headers, body in reversed(got)}
    headers, body = by_path["/hook"]
    message = orjson.loads(body)
    assert message["alert"] == "Low"
    assert message["annotations"]["summary"].startswith("A: ")
    assert message["annotations"]["summary"].endswith("{{ unknown }}")
    assert message["explain"].startswith("ringback explain service_level --window 2026-01-05T")
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = base64.b64encode(hmac.new(b"k" * 24, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{wanted}"
    assert headers["Idempotency-Key"] == headers["webhook-id"]
    assert orjson.loads(by_path["/slack"][1])["text"].startswith("[FIRING] A: ")
    (alert,) = orjson.loads(by_path["/api/v2/alerts"][1])
    assert alert["labels"]["alertname"] == "Low"
    assert alert["endsAt"].startswith("2026-02-0")  # 30 days, not the five minutes it would take by itself


def test_slack_text_cannot_mention_or_link(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_URL", "https://example.org")
    body = {
        "annotations": {"summary": "<!channel> & <http://x|y>"},
        "status": "firing",
        "opened_at": "",
        "explain": "",
        "kpi": "",
        "value": "",
        "objective": "",
        "n": 1,
        "labels": {},
    }
    ledger_row = Outgoing("1", "e", "firing", "chat", body, BASE, 1)
    receiver = Slack(name="chat", type="slack", url=Secret(env="SLACK_URL"))
    text = orjson.loads(request_of(receiver, ledger_row, 0).body)["text"]
    assert "&lt;!channel&gt; &amp; &lt;http" in text


def test_what_may_have_been_told_by_one_that_died_is_said_to_people(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_URL", "https://example.org")
    receiver = Slack(name="chat", type="slack", url=Secret(env="SLACK_URL"))
    told: list[str] = []

    def die(request: Request) -> Delivery:
        told.append(orjson.loads(request.body)["text"].splitlines()[0])
        if len(told) == 1:
            raise Killed
        return Delivery("again" if len(told) == 2 else "sent", "status 503")

    for attempt in range(3):
        ledger = Ledger(tmp_path / "a.sqlite")
        ledger.enqueue("e", "firing", "chat", body("a dip", BASE), BASE)
        with suppress(Killed):
            send_due(ledger, {"chat": receiver}, lambda at=BASE + attempt * 10 * M: at, die)  # type: ignore[misc]
        ledger.close()
    assert told == ["[META] a dip", *["[META] a dip (perhaps told before)"] * 2]


def test_a_secret_that_is_not_set_is_named_and_waited_for(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "a.sqlite")
    ledger.enqueue("e", "firing", "chat", body("a dip", BASE), BASE)
    receiver = Slack(name="chat", type="slack", url=Secret(env="NOT_SET_ANYWHERE"))
    assert send_due(ledger, {"chat": receiver}, lambda: BASE) == 0
    assert ledger.counts() == {"waiting": 1}
    assert ledger.problems(1)[0].error == "its secret: NOT_SET_ANYWHERE is not set"


def test_a_secret_whose_file_cannot_be_read_is_named_by_its_path(tmp_path: Path) -> None:
    ledger, path = Ledger(tmp_path / "a.sqlite"), tmp_path / "gone"
    ledger.enqueue("e", "firing", "chat", body("a dip", BASE), BASE)
    receiver = Slack(name="chat", type="slack", url=Secret(file=path))
    assert send_due(ledger, {"chat": receiver}, lambda: BASE) == 0
    assert ledger.problems(1)[0].error == f"its secret: {path}: No such file or directory"


def test_a_route_that_changes_while_it_fires_leaves_nobody_without_the_end(tmp_path: Path) -> None:
    """Told alone, in a group, or by a route that is gone: each hears the end, and nobody else does."""
    minutes = []
    for number in range(200):
        sums = {"answered_in_target": 5 if number >= 60 else 1, "service_level_n": 5}
        minutes += [MinuteSums(BASE + number * M, "voice", queue, sums) for queue in ("A", "B")]
    before = Route.model_validate({"receiver": "alone", "group_by": ["..."], "routes": [
        {"matchers": ["queue=A"], "receiver": "grouped", "group_by": ["alert"], "continue": True},
        {"matchers": ["queue=A"], "receiver": "alone"},
    ]})  # fmt: skip
    after = Route.model_validate({"receiver": "late", "routes": [
        {"matchers": ["queue=B"], "receiver": "grouped", "group_by": ["queue"]},
    ]})  # fmt: skip
    names = ("alone", "grouped", "late")
    hooks = [HOOK.model_copy(update={"name": name, "url": f"http://127.0.0.1:9/{name}"}) for name in names]
    told: list[tuple[str, str, str]] = []

    def noting(request: Request) -> Delivery:
        body = orjson.loads(request.body)
        told.append((request.url.rsplit("/", 1)[1], body["status"], body["labels"]["queue"]))
        return Delivery("sent")

    ledger, known = Ledger(tmp_path / "a.sqlite"), {hook.name: hook for hook in hooks}
    for route, begin, end in ((before, 0, 30), (after, 30, 200)):
        own = Evaluator(DEFAULT_RULES, ledger, hooks, route=route)
        evaluate(own, group(), minutes, begin, end)
        send_due(ledger, known, lambda at=end: BASE + (at + 10) * M, noting)  # type: ignore[misc]
    heard = (("alone", "A"), ("grouped", "A"), ("alone", "B"))
    wanted = [(name, status, queue) for name, queue in heard for status in ("firing", "resolved")]
    assert sorted(told) == sorted(wanted)
