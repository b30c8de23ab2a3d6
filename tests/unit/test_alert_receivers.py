"""Each receiver against a server that speaks its protocol, and against servers that do not behave."""

import email
import email.policy
import email.utils
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from support.alert_servers import Got, api, smtp

from alerts.ledger import Ledger
from alerts.notify import post as posting
from alerts.notify.addresses import addresses, is_public
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


HOSTILE = ["<!channel> <http://evil|x>", "[x](http://evil) **b** # h", "a\r\nBcc: evil@x.test",
           "<script>1</script>", "{{ value }} {{DATE(2017-02-14T06:08:39Z)}}", "\u202e\u0000\x1b[31m",
           "\U0001f4de" * 256, ""]  # fmt: skip


@pytest.mark.parametrize("name", ["pd", "og", "teams", "slack", "hook", "mail"])
def test_whatever_labels_say_is_taken_as_text(
    http: Http, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Queue names come from events: no markup, no header, no field that is too long."""
    monkeypatch.setenv("FLOW2", f"{http[0]}/slack")
    with smtp() as (port, letters):
        known = receivers(http[0]) | {"mail": mailbox(port)}
        ledger = Ledger(tmp_path / "a.sqlite")
        for number, text in enumerate(HOSTILE):
            labels = {"channel": text, "queue": text * 4, "severity": "page"} | {
                f"own_{n}": text for n in range(8)
            }
            about = body("firing", summary=text * 50 or "x", runbook_url="https://x/" + "y" * 900)
            ledger.enqueue(f"e{number}", "firing", name, about | {"labels": labels}, NOW)
        assert send_due(ledger, known, lambda: NOW) == len(HOSTILE)
    for got in http[1]:
        sent = orjson.loads(got["body"])
        if name == "slack":
            assert "<" not in sent["text"]
        if name == "teams":
            texts = [block["text"] for block in sent["attachments"][0]["content"]["body"]]
            assert not any("[x](" in text or " **b" in text for text in texts)
    for letter in letters:
        parsed = email.message_from_string(letter, policy=email.policy.default)
        assert (parsed["Bcc"], parsed["To"]) == (None, "ops@b.test")
        assert parsed.get_content_type() == "text/plain"


def test_a_receiver_that_hangs_holds_up_no_other(
    http: Http, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "TIMEOUT_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("FLOW2", f"http://127.0.0.1:{silent.getsockname()[1]}/")
        ledger = Ledger(tmp_path / "a.sqlite")
        for number in range(20):
            ledger.enqueue(f"e{number}", "firing", "slack", body("firing"), NOW - 1)
            ledger.enqueue(f"e{number}", "firing", "hook", body("firing"), NOW)
        began = time.monotonic()
        assert send_due(ledger, receivers(http[0]), lambda: NOW) == 20
    assert time.monotonic() - began < 3  # 20 tries of the one that hangs would have lasted for six
    assert [each.tries for each in ledger.problems(20)] == [1]


@pytest.mark.parametrize(
    ("said", "low", "high"),
    [("30", 30, 30), ("86400", 3_600, 3_600), ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0), ("soon", 0, 0),
     ("-5", 0, 0), ("\u0665", 0, 0), ("Fri, 31 Dec 9999 23:59:59 GMT", 3_600, 3_600),
     ("in a minute", 100, 120)],
)  # fmt: skip
def test_how_long_a_receiver_asks_to_wait(said: str, low: float, high: float) -> None:
    if said == "in a minute":
        said = email.utils.format_datetime(datetime.now(UTC) + timedelta(seconds=119.5), usegmt=True)
    assert low <= posting.judged(429, said).wait_s <= high


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True), ("2606:4700::1111", True), ("::ffff:8.8.8.8", True), ("64:ff9b::808:808", True),
        ("127.0.0.1", False), ("0.0.0.0", False), ("10.1.2.3", False), ("100.64.0.1", False),  # noqa: S104
        ("169.254.169.254", False), ("224.0.0.1", False), ("255.255.255.255", False), ("::", False),
        ("::1", False), ("::ffff:127.0.0.1", False), ("::ffff:10.0.0.1", False), ("::127.0.0.1", False),
        ("64:ff9b::7f00:1", False), ("64:ff9b::a00:1", False), ("2002:7f00:1::", False), ("fec0::1", False),
        ("fe80::1%eth0", False), ("fd00::1", False), ("ff0e::1", False),
    ],
)  # fmt: skip
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize(
    "host", ["127.1", "2130706433", "0x7f.1", "017700000001", "0", "localhost", "[::1]", "[::ffff:127.0.0.1]"]
)
def test_however_a_private_address_is_written_it_is_refused(host: str) -> None:
    done = posting.post(posting.Request(f"http://{host}:9/", b"{}", {}, allow_private=False))
    assert (done.outcome, done.error[:28]) == ("refused", "its address is a private one")


def test_a_name_that_is_private_too_is_asked_at_its_public_address(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(0, 0, 0, "", (each, 80)) for each in ("10.0.0.1", "192.0.2.1", "8.8.8.8")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert addresses("both.test", 80, allow_private=False) == ["8.8.8.8"]


def test_no_fault_says_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Line breaks in a key, which a header cannot hold, and a key that is no base64."""
    monkeypatch.setenv("OG", "hidden\nX: y")
    monkeypatch.setenv("HOOK", "hidden!")
    ledger = outbox(tmp_path, "og", "signed")
    signed = Webhook(name="signed", type="webhook", url="http://127.0.0.1:9", secret=Secret(env="HOOK"))
    send_due(ledger, receivers("http://127.0.0.1:9") | {"signed": signed}, lambda: NOW)
    errors = {problem.receiver: problem.error for problem in ledger.problems(9)}
    assert errors == {
        "og": "its secret: OG holds more than one line",
        "signed": "its secret: write it as Standard Webhooks do: whsec_ and base64",
    }


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
