"""A real Asterisk of Debian's packages in a folder of its own; its callers and members need no telephone."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

from deploy.local.ports import free_port

CACHE = Path(os.environ.get("RINGBACK_REAL_CACHE", "/tmp/ringback-real-clients"))
BUILD_S, START_S = 900, 60
PACKAGES = "asterisk,asterisk-core-sounds-en-gsm,asterisk-moh-opsound-gsm"
FILES = {
    "modules.conf": "[modules]\nautoload = yes\n"
    + "".join(
        f"noload = {name}.so\n"
        for name in (
            "chan_pjsip",
            "res_pjsip",
            "chan_iax2",
            "chan_unistim",
            "res_xmpp",
            "chan_motif",
            "pbx_ael",
        )
    ),
    "logger.conf": "[general]\nqueue_log = yes\nrotatestrategy = sequential\n"
    "[logfiles]\nmessages = warning,error\n",
    "extensions.conf": """
[queues]
exten => _[a-z].,1,Answer()
 same => n,Queue(${EXTEN},t)
 same => n,Hangup()
[members]
exten => _ok-X.,1,Wait(${CUT(EXTEN,-,2)})
 same => n,Answer()
 same => n,Wait(${CUT(EXTEN,-,3)})
 same => n,Hangup()
exten => _sile[n]t-X,1,Wait(600)
[callers]
exten => _stays-X!,1,Answer()
 same => n,Wait(${CUT(EXTEN,-,2)})
 same => n,Hangup()
""",
    "queues.conf": "[general]\npersistentmembers = no\nlog_membername_as_agent = yes\n"
    + "".join(
        f"[{name}]\ntimeout = 3\nretry = 1\nstrategy = leastrecent\n" for name in ("sales", "nobody", "long")
    ),
}


def root_folder() -> Path | str:
    """The folder that holds Debian with Asterisk, made once; or in words why there is none."""
    root = CACHE / "asterisk"
    given = os.environ.get("RINGBACK_ASTERISK_ROOT")
    if given or (root / "usr/sbin/asterisk").exists():
        return Path(given) if given else root
    if os.geteuid() != 0:
        return "Asterisk's packages can be put into a folder by root alone"
    if not shutil.which("mmdebstrap"):
        return "mmdebstrap is not installed, which puts Asterisk's packages into a folder"
    CACHE.mkdir(parents=True, exist_ok=True)
    command = ["mmdebstrap", "--mode=root", "--variant=minbase", f"--include={PACKAGES}", "forky", str(root)]
    valid = '--aptopt=Acquire::Check-Valid-Until "false"'
    try:
        made = subprocess.run([*command[:3], valid, *command[3:]], capture_output=True, timeout=BUILD_S)
    except subprocess.TimeoutExpired:
        shutil.rmtree(root, ignore_errors=True)
        return "Debian's mirror is too slow"
    if made.returncode:
        shutil.rmtree(root, ignore_errors=True)
        return f"Asterisk could not be installed: {made.stderr[-200:].decode('utf-8', 'replace')}"
    return root


class Pbx:
    """Asterisk, started and stopped; `log` is its queue_log."""

    def __init__(self, root: Path) -> None:
        self.root, self.port = root, free_port()
        self.home = root / "ringback"
        self.log = self.home / "log" / "queue_log"
        self._process: subprocess.Popen[bytes] | None = None
        shutil.rmtree(self.home, ignore_errors=True)
        for name in ("etc", "lib", "run", "log", "spool"):
            (self.home / name).mkdir(parents=True)
        for name, text in FILES.items():
            (self.home / "etc" / name).write_text(text)
        (self.home / "etc" / "manager.conf").write_text(
            f"[general]\nenabled = yes\nport = {self.port}\nbindaddr = 127.0.0.1\ntimestampevents = yes\n"
            "[test]\nsecret = test\nread = all\nwrite = all\n"
        )
        folders = "".join(
            f"ast{key} => /ringback/{folder}\n"
            for key, folder in {
                "etcdir": "etc",
                "varlibdir": "lib",
                "dbdir": "lib",
                "keydir": "lib",
                "spooldir": "spool",
                "rundir": "run",
                "logdir": "log",
            }.items()
        )
        own = "astmoddir => /usr/lib/x86_64-linux-gnu/asterisk/modules\nastdatadir => /usr/share/asterisk\n"
        text = f"[directories]\n{folders}{own}[options]\nsystemname = test\n"
        (self.home / "etc" / "asterisk.conf").write_text(text)

    def start(self) -> None:
        """Start it, and wait until it says so."""
        command = ["chroot", str(self.root), "asterisk", "-f", "-C", "/ringback/etc/asterisk.conf"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until, before = time.monotonic() + START_S, self._starts()
        while self._starts() == before:
            if time.monotonic() > until:
                raise TimeoutError(f"Asterisk did not start; see {self.home / 'log' / 'messages'}")
            time.sleep(0.2)
        time.sleep(0.5)

    def _starts(self) -> int:
        """How often its log says that it was started. The manager answers before the queues are there."""
        return self.log.read_bytes().count(b"QUEUESTART") if self.log.exists() else 0

    def kill(self) -> None:
        """End it at once."""
        if self._process:
            self._process.kill()
            self._process.wait()


class Manager:
    """An AMI session: what it sent, as it came, goes into a file; actions are not waited for."""

    def __init__(self, port: int, recorded: Path) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.settimeout(0.05)
        self._recorded = recorded
        self.act("Login", Username="test", Secret="test")

    def act(self, action: str, **fields: str) -> None:
        """Send an action."""
        lines = [f"Action: {action}", *(f"{name}: {value}" for name, value in fields.items())]
        self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())

    def record(self) -> None:
        """Write down what has come."""
        with self._recorded.open("ab") as file:
            try:
                while data := self._socket.recv(65_536):
                    file.write(data)
            except TimeoutError:
                return

    def close(self) -> None:
        """Record the rest and hang up."""
        self.record()
        self._socket.close()
