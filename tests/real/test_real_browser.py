"""A web page in a real Chromium, which even knows the password, gets nothing out of the embedded ClickHouse.

Skipped where there is no Chromium; `make test-real` installs it where it may.
"""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import pytest
from support.embedded import ask, credentials

from deploy.local.clickhouse.process import LocalClickHouse
from deploy.local.ports import free_port

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# What a page can do without being asked: {read} and {write} are addresses of the embedded ClickHouse.
NAVIGATIONS = {
    "location": "<script>location.href = '{read}'</script>",
    "meta refresh": '<meta http-equiv="refresh" content="0;url={read}">',
    "form by GET": '<form action="{base}"><input name="query" value="SELECT 41 + 1">'
    '<input name="user" value="default"><input name="password" value="{password}"></form>'
    "<script>document.forms[0].submit()</script>",
    "form by POST": '<form action="{write}" method="post" enctype="text/plain"><input name="-- "></form>'
    "<script>document.forms[0].submit()</script>",
}
SUBRESOURCES = {
    "img": '<img src="{write}">',
    "script": '<script src="{write}"></script>',
    "iframe": '<iframe src="{write}"></iframe>',
    "css": '<link rel="stylesheet" href="{write}">',
    "fetch": "<script>fetch('{write}', {{method: 'POST', mode: 'no-cors', body: '--'}})</script>",
    "beacon": "<script>navigator.sendBeacon('{write}', '--')</script>",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalClickHouse]:
    if BROWSER is None:
        pytest.skip("no Chromium on this machine")
    started = LocalClickHouse(tmp_path_factory.mktemp("stack"), free_port())
    started.start()
    ask(started, "CREATE TABLE ringback.t (n UInt64) ENGINE = MergeTree ORDER BY n")
    yield started
    started.stop()


def seen(page: str, profile: Path) -> str:
    """What the browser shows in the end of a page that another server, here another port, gives."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as evil:
        threading.Thread(target=evil.serve_forever, daemon=True).start()
        assert BROWSER is not None
        argv = [BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}"]
        argv += ["--timeout=4000", "--virtual-time-budget=4000", "--dump-dom"]
        # Another site by its name; the browser asks 127.0.0.1 for both.
        argv += [
            "--host-resolver-rules=MAP evil.example 127.0.0.1",
            f"http://evil.example:{evil.server_port}/",
        ]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
        evil.shutdown()
    return done.stdout


def filled(server: LocalClickHouse, page: str) -> str:
    password = credentials(server)["X-ClickHouse-Key"]
    known = f"user=default&password={password}"
    write = f"{server.url}/?{known}&query={quote('INSERT INTO ringback.t SELECT 1')}"
    read = f"{server.url}/?{known}&query={quote('SELECT 41 + 1')}"
    body = page.format(read=read, write=write, base=server.url, password=password)
    return f"<!doctype html><html><body>{body}</body></html>"


@pytest.mark.parametrize("way", NAVIGATIONS)
def test_a_page_that_sends_us_there_sees_a_refusal(server: LocalClickHouse, tmp_path: Path, way: str) -> None:
    shown = seen(filled(server, NAVIGATIONS[way]), tmp_path)
    assert "ACCESS_DENIED" in shown, shown
    assert ask(server, "SELECT count() FROM ringback.t").text == "0\n"


@pytest.mark.parametrize("way", SUBRESOURCES)
def test_what_a_page_loads_changes_nothing(server: LocalClickHouse, tmp_path: Path, way: str) -> None:
    assert "body" in seen(filled(server, SUBRESOURCES[way]), tmp_path)
    assert ask(server, "SELECT count() FROM ringback.t").text == "0\n"
