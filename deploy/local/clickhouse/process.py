"""The embedded ClickHouse as a child of this process."""

import http.client
import ipaddress
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from deploy.local.child import ChildProcess, Command, log_tail
from deploy.local.clickhouse.names import DATABASE, EXIT_UNREACHABLE, MESSAGE_PREFIX, OWNER
from deploy.local.clickhouse.passwords import OWNER_FILE, read_password
from deploy.local.errors import LocalStackError
from deploy.local.ports import LOOPBACK, require_free

START_LIMIT_S = 60.0
POLL_S = 0.05


def netloc(host: str, port: int) -> str:
    """Host and port as an address has them; of all addresses of the machine, the loopback one."""
    try:
        if ipaddress.ip_address(host).is_unspecified:
            host = LOOPBACK if "." in host else "::1"
    except ValueError:
        pass  # a name
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def owner_address(data_dir: Path, port: int, host: str = LOOPBACK) -> str:
    """Where the embedded ClickHouse of a data folder answers our own commands.

    Without credentials as long as it was never started. Raises LocalStackError when they cannot be read.
    """
    password = read_password(data_dir / OWNER_FILE)
    credentials = f"{OWNER}:{quote(password, safe='')}@" if password else ""
    return f"http://{credentials}{netloc(host, port)}/{DATABASE}"


class LocalClickHouse:
    """An embedded ClickHouse, on loopback unless told otherwise; its data live in ``<data_dir>/clickhouse``.

    Start it from a thread that lives as long as it should: on Linux it ends with that thread and process.
    """

    def __init__(
        self, data_dir: Path, port: int, host: str = LOOPBACK, allowed_hosts: Sequence[str] = ()
    ) -> None:
        self.host = host
        self._allowed_hosts = allowed_hosts
        self.data_dir = data_dir.resolve()
        self.port = port
        self._child: ChildProcess | None = None

    @property
    def url(self) -> str:
        """The address of the HTTP interface, without credentials."""
        return f"http://{netloc(self.host, self.port)}"

    @property
    def address(self) -> str:
        """The address with the credentials of our own commands and the database, once it was started."""
        return owner_address(self.data_dir, self.port, self.host)

    @property
    def log_path(self) -> Path:
        """Where its output goes."""
        return self.data_dir / "logs" / "clickhouse.log"

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._child.pid if self._child is not None and self._child.alive() else None

    def alive(self) -> bool:
        """Whether the process runs."""
        return self._child is not None and self._child.alive()

    def start(self) -> None:
        """Start it and return once it answers (about a second).

        Raises LocalStackError, with its own last words, when it does not.
        """
        if self.alive():
            return
        require_free(self.port, "the embedded ClickHouse", "RINGBACK_CLICKHOUSE_PORT")
        argv = [sys.executable, "-P", "-m", "deploy.local.clickhouse"]
        argv += ["--data-dir", str(self.data_dir), "--port", str(self.port), "--host", self.host]
        argv += [part for name in self._allowed_hosts for part in ("--allowed-host", name)]
        self._child = ChildProcess(Command(argv, self.log_path))
        deadline = time.monotonic() + START_LIMIT_S
        while not self._answers():
            if not self._child.alive():
                raise self._failed("stopped right after its start")
            if time.monotonic() > deadline:
                self._child.kill()
                raise self._failed(f"did not answer within {START_LIMIT_S:.0f} s")
            time.sleep(POLL_S)

    def stop(self) -> None:
        """Stop it: SIGTERM, then SIGKILL after ten seconds; nothing it acknowledged is lost either way."""
        if self._child is not None:
            self._child.stop()
            self._child = None

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(netloc(self.host, self.port), timeout=2)
        try:
            connection.request("GET", "/ping")
            return connection.getresponse().status == http.client.OK
        except OSError:
            return False
        finally:
            connection.close()

    def _failed(self, what: str) -> LocalStackError:
        last = log_tail(self.log_path, 1)
        if self._child is not None and self._child.returncode == EXIT_UNREACHABLE:
            message, _, hint = last.removeprefix(MESSAGE_PREFIX).rpartition("; ")
            return LocalStackError(message, hint)
        return LocalStackError(f"the embedded ClickHouse {what}: {last}", f"see {self.log_path}")
