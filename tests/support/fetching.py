"""Clients from their registries, for tests/real: fetched once, and kept in the user's cache folder.

A run of them has ten minutes together (`BUDGET_S`); what is not fetched by then is skipped with the reason.
"""

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from deploy.local.kafka.runtime import default_cache_dir

BUDGET_S = int(os.environ.get("RINGBACK_REAL_BUDGET_S", "600"))
RUN_S = 120
STARTED = time.monotonic()


def cache_dir() -> Path:
    """Where clients are kept."""
    given = os.environ.get("RINGBACK_REAL_CACHE")
    return Path(given) if given else default_cache_dir() / "real-clients"


def left_s() -> float:
    """What this run has left of its time."""
    return BUDGET_S - (time.monotonic() - STARTED)


def folder_of(name: str, files: Mapping[str, str]) -> Path:
    """The folder of a client, with our own files in it; begun anew when one of these has changed."""
    folder = cache_dir() / name
    said = hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()
    mark = folder / ".made-of"
    if not mark.exists() or mark.read_text() != said:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for file, text in files.items():
            (folder / file).write_text(text)
        mark.write_text(said)
    return folder


def fetched(*command: str, folder: Path) -> None:
    """Have a package manager or compiler do its work, once; skip the test when it cannot."""
    mark = folder / f".done-{hashlib.sha256(repr(command).encode()).hexdigest()[:16]}"
    if mark.exists():
        return
    if shutil.which(command[0]) is None:
        pytest.skip(f"no {command[0]} on this machine")
    said = " ".join(command)
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=max(1, left_s()), check=False
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"{said}: not done when the {BUDGET_S} s of this run were over; the next run goes on")
    if done.returncode:
        pytest.skip(f"{said}: {(done.stdout + done.stderr).strip()[-300:]}")
    mark.touch()


def printed(*command: str, folder: Path, **environment: str) -> str:
    """What a client prints; standard error is shown when the test fails."""
    given = os.environ | environment
    done = subprocess.run(
        command, cwd=folder, env=given, capture_output=True, text=True, timeout=RUN_S, check=False
    )
    print(done.stderr[-2000:])
    return done.stdout
