"""Each receiver against a server that speaks its protocol, and against servers that do not behave."""

import email
import email.policy
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from support.alert_servers import Got, api, smtp

from alerts.ledger import Ledger
from alerts.notify import post as posting
from alerts.notify.sender import send_due
from alerts.receivers import Email, Opsgenie, PagerDuty, Receiver, Secret, Slack, Teams, Webhook

NOW = 1_767_571_200_000
Http = tuple[str, Got, list[str]]


def body(status: str, **annotations: str) -> dict[str, object]:
    return {
        "episode": "e1", "status": status, "alert": "ServiceLevelLow", "kpi": "service_level",
        "labels": {"channel": "voice", "queue": "sa<b>les [x](http://evil)", "severity": "page"},
        "annotations": {"summary": "sales: service level 20.0 %"} | annotations, "objective": "< 80.0 %",
        "value": "20.0 %", "n": 15, "window_ms": 900_000, "opened_at": "2026-01-05T00:00:00Z",
        "at": "2026-01-05T00:02:00Z", "explain": "ringback explain service_level",
    }  # fmt: skip


@pytest.fixture
def http(monkeypatch: pytest.MonkeyPatch) -> Iterator[Http]:
    for name, value in {"PD": "0" * 32, "OG": "opsgenie-key"}.items():
        monkeypatch.setenv(name, value)
    with api() as server:
        monkeypatch.setenv("FLOW", f"{server[0]}/workflow")
        yield server


def receivers(url: str) -> dict[str, Receiver]:
    found: list[Receiver] = [
        PagerDuty(name="pd", type="pagerduty", routing_key=Secret(env="PD"), url=f"{url}/v2/enqueue",
                  allow_private=True),
        Opsgenie(name="og", type="opsgenie", api_key=Secret(env="OG"), url=url, allow_private=True),
        Teams(name="teams", type="teams", url=Secret(env="FLOW"), allow_private=True),
        Slack(name="slack", type="slack", url=Secret(env="FLOW2"), allow_private=True),
        Webhook(name="hook", type="webhook", url=f"{url}/hook", allow_private=True),
    ]  # fmt: skip
    return {receiver.name: receiver for receiver in found}


def outbox(path: Path, *names: str, status: str = "firing") -> Ledger:
    ledger = Ledger(path / "a.sqlite")
    for name in names:
        ledger.enqueue("e1", status, name, body(status), NOW)
    return ledger


@pytest.mark.parametrize("name", ["pd", "og", "teams", "slack", "hook"])
def test_what_opens_an_episode_closes_it(
    http: Http, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOW2", f"{http[0]}/slack")
    ledger = outbox(tmp_path, name)
    assert send_due(ledger, receivers(http[0]), lambda: NOW) == 1
    ledger.enqueue("e1", "resolved", name, body("resolved"), NOW)
    assert send_due(ledger, receivers(http[0]), lambda: NOW) == 1
    first, second = (orjson.loads(got["body"]) for got in http[1])
    if name == "pd":
        assert (first["event_action"], second["event_action"]) == ("trigger", "resolve")
        assert first["dedup_key"] == second["dedup_key"] == "e1"
        assert first["payload"]["severity"] == "critical"
    if name == "og":
        assert [got["path"] for got in http[1]] == ["/v2/alerts", "/v2/alerts/e1/close?identifierType=alias"]
        assert (first["alias"], first["priority"]) == ("e1", "P1")
    if name == "teams":
        texts = [block["text"] for block in first["attachments"][0]["content"]["body"]]
        assert texts[0].startswith("\\[FIRING\\] sales: service level")
        assert not any("[x](" in text for text in texts)
    if name == "slack":
        assert "<b>" not in first["text"]


@pytest.mark.parametrize("name", ["pd", "og", "teams", "hook"])
@pytest.mark.parametrize(
    ("trick", "state", "error"),
    [
        ("429", "waiting", "status 429"),
        ("500", "waiting", "status 500"),
        ("503", "waiting", "status 503"),
        ("drop", "waiting", ""),
        ("slow", "waiting", ""),
        ("redirect", "dead", "status 302"),
        ("400", "dead", "status 400"),
    ],
)
def test_servers_that_do_not_behave(
    http: Http, name: str, trick: str, state: str, error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What may go better later is tried again, and then it is sent; what never will is given up."""
    monkeypatch.setattr(posting, "TIMEOUT_S", 0.3)
    http[2].append(trick)
    ledger = outbox(tmp_path, name)
    assert send_due(ledger, receivers(http[0]), lambda: NOW) == 0
    assert ledger.counts() == {state: 1}
    assert error in ledger.problems(10)[0].error
    if state == "waiting":
        if trick == "429":
            assert send_due(ledger, receivers(http[0]), lambda: NOW + 2_999) == 0
        assert send_due(ledger, receivers(http[0]), lambda: NOW + 300_000) == 1
    assert not any(got["path"] == "/elsewhere" for got in http[1])


def test_an_answer_of_a_byte_at_a_time_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "TIMEOUT_S", 0.5)
    monkeypatch.setattr(posting, "DEADLINE_S", 0.6)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def dribble() -> None:
            connection, _ = listening.accept()
            with connection:
                for byte in b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20:
                    try:
                        connection.send(bytes([byte]))
                    except OSError:
                        return
                    time.sleep(0.05)

        threading.Thread(target=dribble, daemon=True).start()
        began = time.monotonic()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        done = posting.post(posting.Request(url, b"{}", {}, allow_private=True))
    assert done.outcome == "again"
    assert time.monotonic() - began < 2


def mailbox(port: int, **changes: Any) -> Email:
    given = {"name": "mail", "type": "email", "host": "127.0.0.1", "port": port, "tls": "none",
             "from": "a@b.test", "to": ["ops@b.test"], "allow_private": True}  # fmt: skip
    return Email.model_validate(given | changes)


def test_mail_of_an_episode_stands_together(tmp_path: Path) -> None:
    with smtp() as (port, letters):
        ledger = outbox(tmp_path, "mail")
        known = {"mail": mailbox(port)}
        assert send_due(ledger, known, lambda: NOW) == 1
        ledger.enqueue("e1", "resolved", "mail", body("resolved", summary="x\r\nBcc: evil@x"), NOW)
        assert send_due(ledger, known, lambda: NOW) == 1
    first, second = (email.message_from_string(letter, policy=email.policy.default) for letter in letters)
    assert first["Message-ID"] == second["In-Reply-To"] == "<e1-firing-mail@ringback.invalid>"
    assert first["Subject"] == "[FIRING] sales: service level 20.0 %"
    assert second["Bcc"] is None
    assert "ringback explain service_level" in letters[0]


@pytest.mark.parametrize(
    ("word", "answer", "state"),
    [
        ("DATA", "451 later", "waiting"), ("DATA", "554 no", "dead"), ("MAIL", "421 busy", "waiting"),
        ("RCPT", "450 full", "waiting"), ("RCPT", "550 nobody", "dead"),
    ],
)  # fmt: skip
def test_mail_that_is_not_taken(tmp_path: Path, word: str, answer: str, state: str) -> None:
    with smtp(**{word: answer}) as (port, letters):
        ledger = outbox(tmp_path, "mail")
        assert send_due(ledger, {"mail": mailbox(port)}, lambda: NOW) == 0
        assert (ledger.counts(), letters) == ({state: 1}, [])


def test_mail_without_tls_where_tls_is_wanted_is_not_sent(tmp_path: Path) -> None:
    with smtp() as (port, letters):
        ledger = outbox(tmp_path, "mail")
        assert send_due(ledger, {"mail": mailbox(port, tls="starttls")}, lambda: NOW) == 0
        assert (ledger.counts(), letters) == ({"dead": 1}, [])


def test_mail_to_a_private_address_wants_leave(tmp_path: Path) -> None:
    with smtp() as (port, letters):
        ledger = outbox(tmp_path, "mail")
        assert send_due(ledger, {"mail": mailbox(port, allow_private=False)}, lambda: NOW) == 0
        assert (ledger.counts(), letters) == ({"dead": 1}, [])


def test_a_password_is_not_sent_in_the_open() -> None:
    with pytest.raises(ValueError, match="over TLS only"):
        mailbox(25, username="u", password={"env": "X"})
