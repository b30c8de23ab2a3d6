"""Alerts to a real Alertmanager, and by mail to a real SMTP server with STARTTLS and a password.

Alertmanager is Debian's package `prometheus-alertmanager`, installed by `python -m tests.real.machine` or by
hand (or `go install github.com/prometheus/alertmanager/cmd/alertmanager@v0.28.1`); the SMTP server is
aiosmtpd, fetched from PyPI. What is not there is skipped with the reason.
"""

import json
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.fetching import fetched, folder_of
from support.stack import wait_until

from alerts.ledger import Ledger
from alerts.notify.sender import send_due
from alerts.receivers import Alertmanager, Email
from deploy.local.ports import free_port
from reports.explain.reading import utc_text

pytestmark = pytest.mark.real
SERVER = """
import ssl, sys, time
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

class Keep:
    async def handle_DATA(self, server, session, envelope):
        with open(sys.argv[3], "ab") as file:
            file.write(envelope.content + b"\\n---\\n")
        return "250 taken"

def known(server, session, envelope, mechanism, data):
    return AuthResult(success=data.login == b"alerts" and data.password == b"secret")

context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(sys.argv[2])
Controller(Keep(), hostname="127.0.0.1", port=int(sys.argv[1]), tls_context=context, require_starttls=True,
           auth_required=True, authenticator=known).start()
time.sleep(120)
"""


def body(status: str) -> dict[str, object]:
    now = time.time_ns() // 1_000_000
    return {
        "episode": "e1", "status": status, "alert": "ServiceLevelLow", "kpi": "service_level",
        "labels": {"channel": "voice", "queue": "sales", "severity": "page"},
        "annotations": {"summary": "sales: service level 20.0 %"}, "objective": "< 80.0 %", "value": "20.0 %",
        "n": 15, "window_ms": 900_000, "opened_at": utc_text(now - 120_000), "at": utc_text(now),
        "explain": "ringback explain service_level",
    }  # fmt: skip


def tell(folder: Path, receiver: Alertmanager | Email, status: str) -> dict[str, int]:
    ledger, now = Ledger(folder / "a.sqlite"), time.time_ns() // 1_000_000
    ledger.enqueue("e1", status, receiver.name, body(status), now)
    send_due(ledger, {receiver.name: receiver}, lambda: now)
    counts = ledger.counts()
    assert ledger.problems(1) == []
    ledger.close()
    return counts


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[str]:
    program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if program is None:
        pytest.skip("no Alertmanager on this machine: apt-get install prometheus-alertmanager")
    (tmp_path / "am.yml").write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
    address = f"127.0.0.1:{free_port()}"
    process = subprocess.Popen(
        [program, "--config.file", tmp_path / "am.yml", "--storage.path", tmp_path / "am",
         "--web.listen-address", address, "--cluster.listen-address", ""],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://{address}"

    def ready() -> bool:
        try:
            return bool(alerts(url) is not None)
        except OSError:
            return False

    wait_until(ready, "Alertmanager does not answer")
    yield url
    process.kill()
    process.wait()


def alerts(url: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{url}/api/v2/alerts", timeout=5) as answer:  # noqa: S310 -- ours
        found: list[dict[str, Any]] = json.load(answer)
        return found


def test_alertmanager_has_it_while_it_fires(alertmanager: str, tmp_path: Path) -> None:
    receiver = Alertmanager(name="am", type="alertmanager", url=alertmanager, allow_private=True)
    assert tell(tmp_path, receiver, "firing") == {"sent": 1}
    (alert,) = alerts(alertmanager)
    assert alert["labels"] == {
        "alertname": "ServiceLevelLow",
        "channel": "voice",
        "queue": "sales",
        "severity": "page",
    }
    assert alert["status"]["state"] == "active"
    assert "15 contacts" in alert["annotations"]["description"]
    assert tell(tmp_path, receiver, "resolved") == {"sent": 2}
    wait_until(lambda: alerts(alertmanager) == [], "it is not resolved")


def test_mail_over_starttls_with_a_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on this machine, which makes the certificate")
    folder = folder_of("aiosmtpd", {"server.py": SERVER})
    fetched(sys.executable, "-m", "pip", "install", "-q", "--target", "lib", "aiosmtpd==1.4.6", folder=folder)
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem",
            "-out", "cert.pem", "-days", "2", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost"]  # fmt: skip
    subprocess.run(made, cwd=tmp_path, check=True, capture_output=True)
    both = tmp_path / "both.pem"
    both.write_text((tmp_path / "key.pem").read_text() + (tmp_path / "cert.pem").read_text())
    port, letters = free_port(), tmp_path / "letters"
    process = subprocess.Popen(
        [sys.executable, folder / "server.py", str(port), both, letters],
        env={"PYTHONPATH": str(folder / "lib")},
    )
    try:
        time.sleep(2)
        monkeypatch.setenv("MAIL_PASSWORD", "secret")
        given = {"name": "mail", "type": "email", "host": "localhost", "port": port, "username": "alerts",
                 "password": {"env": "MAIL_PASSWORD"}, "from": "a@b.test", "to": ["o@b.test"]}  # fmt: skip
        receiver = Email.model_validate(given | {"allow_private": True})
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
        ledger = Ledger(tmp_path / "strange.sqlite")
        ledger.enqueue("e1", "firing", "mail", body("firing"), 0)
        send_due(ledger, {"mail": receiver}, lambda: 0)
        assert (
            "SSLCertVerificationError" in ledger.problems(1)[0].error
        )  # a certificate that nobody vouches for
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
        assert tell(tmp_path, receiver, "firing") == {"sent": 1}
        assert "Message-ID: <e1-firing-mail@ringback.invalid>" in letters.read_text()
    finally:
        process.kill()
        process.wait()
