"""`python -m tests.real.machine`: has apt install the programs that tests/real needs and this machine lacks.

Only as root, where there is apt; otherwise it says what is missing, and the tests that need it are skipped.
"""

import os
import shutil
import subprocess
import time

APT_S = 150  # for all together: `make test-real` has ten minutes
# A program that tells, the package of Debian that has it, and who needs it.
NEEDED = (
    ("chromium", "chromium", "a web page in a real browser"),
    ("javac", "default-jdk-headless", "JDBC"),
    ("mvn", "maven", "JDBC"),
    ("go", "golang-go", "clickhouse-go"),
    ("npm", "npm", "the client for Node"),
    ("pg_ctlcluster", "postgresql", "queue_log in PostgreSQL"),
    ("mariadbd", "mariadb-server", "queue_log in MariaDB"),
    ("prometheus-alertmanager", "prometheus-alertmanager", "alerts to Alertmanager"),
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def missing() -> list[tuple[str, str, str]]:
    """What is needed and not here."""
    found = any(shutil.which(name) for name in BROWSERS)
    return [row for row in NEEDED if not (found if row[0] == "chromium" else shutil.which(row[0]))]


def apt(*arguments: str, until: float) -> str:
    """Nothing when apt did it, else why not."""
    seconds = max(1.0, until - time.monotonic())
    command = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=20", *arguments]
    given = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command, env=given, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        return f"not done within {APT_S} s"
    lines = (done.stderr or done.stdout).strip().splitlines()
    return "" if done.returncode == 0 else (lines or ["failed"])[-1]


def main() -> None:
    lacking = missing()
    if not lacking:
        print("everything that the tests of real clients need is here")
        return
    until, why_not = time.monotonic() + APT_S, ""
    if shutil.which("apt-get") is None:
        why_not = "there is no apt-get here"
    elif os.geteuid() != 0:
        why_not = "only root may: " + "apt-get install " + " ".join(package for _, package, _ in lacking)
    else:
        why_not = apt("update", until=until)
    for name, package, who in lacking:
        said = why_not or apt("install", "--yes", "--no-install-recommends", package, until=until)
        print(f"{name}, for {who}: " + (f"not installed, {said}" if said else "installed"), flush=True)


if __name__ == "__main__":
    main()
