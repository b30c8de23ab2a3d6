"""Our choice of receivers against Alertmanager's own, over generated route trees and labels.

`amtool` is of Debian's package `prometheus-alertmanager`; it is skipped where that is missing.
"""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from alerts.matchers import with_name
from alerts.receivers import Receivers
from alerts.routing import matched

pytestmark = pytest.mark.real
NAMES = ("mail", "pager", "chat", "sales")
LABELS = {
    "alertname": ("Low", "High"),
    "severity": ("page", "ticket"),
    "queue": ("sales", "presales", "support", "büro", "a b", 'a"b', "a\\b"),
    "team": ("work", "workforce", ""),
}
PATTERNS = ("sales", "s.*", ".*sales", "sales|support", "", ".+", r"\w+", r"\D+", "(?i)SALES", "(pre)?sales",
            "[^s].*", 'a."?b', r"a\\.?b", "wor.{1,6}", "^sales$", "page|ticket")  # fmt: skip
TREES = 250


def quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


@st.composite
def matchers(draw: st.DrawFn) -> str:
    """One matcher as people write it, with and without quotes and spaces."""
    name = draw(st.sampled_from(sorted(LABELS)))
    op = draw(st.sampled_from(("=", "!=", "=~", "!~")))
    value = draw(st.sampled_from(PATTERNS if op.endswith("~") else LABELS[name]))
    bare = value.isalnum() and draw(st.booleans())
    return f"{name}{draw(st.sampled_from(('', ' ')))}{op}{value if bare else quoted(value)}"


def routes(depth: int) -> st.SearchStrategy[dict[str, Any]]:
    """A route, with further ones below it."""
    below = st.just([]) if not depth else st.lists(routes(depth - 1), max_size=4)
    some = {"receiver": st.sampled_from(NAMES), "continue": st.booleans()}
    return st.fixed_dictionaries(
        {"matchers": st.lists(matchers(), max_size=2), "routes": below}, optional=some
    )


def labels() -> st.SearchStrategy[dict[str, str]]:
    own: dict[str, st.SearchStrategy[str]] = {name: st.sampled_from(of) for name, of in LABELS.items()}
    return st.fixed_dictionaries({}, optional=own)


def amtool() -> str:
    program = shutil.which("amtool")
    if program is None:
        pytest.skip("no amtool on this machine: apt-get install prometheus-alertmanager")
    return program


def theirs(program: str, folder: Path, tree: dict[str, Any], own: dict[str, str]) -> list[str]:
    """Whom Alertmanager would tell."""
    path = folder / "am.yml"
    path.write_text(yaml.safe_dump({"route": tree, "receivers": [{"name": name} for name in NAMES]}))
    asked = [f"{name}={quoted(value)}" for name, value in own.items()]
    command = [program, "config", "routes", "test", "--config.file", path, *asked]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, (done.stderr, tree, own)
    return done.stdout.strip().split(",")


def ours(tree: dict[str, Any], own: dict[str, str]) -> list[str]:
    hooks = [{"name": name, "type": "webhook", "url": "http://x"} for name in NAMES]
    told = Receivers.model_validate({"version": 1, "receivers": hooks, "route": tree})
    assert told.route is not None
    alert = own.get("alertname", "")
    return [step.receiver for step in matched(told.route, with_name({"alert": alert, "labels": own}))]


def test_who_hears_of_an_alert_is_whom_alertmanager_would_tell(tmp_path: Path) -> None:
    program, seen = amtool(), set[int]()

    @settings(
        max_examples=TREES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(routes(2), min_size=1, max_size=5), st.sampled_from(NAMES), labels())
    def compare(below: list[dict[str, Any]], first: str, own: dict[str, str]) -> None:
        tree = {"receiver": first, "routes": below}
        wanted = theirs(program, tmp_path, tree, own)
        seen.add(len(wanted))
        assert ours(tree, own) == wanted

    compare()
    assert {1, 2, 3} <= seen  # trees that tell nobody but the first receiver would compare nothing
