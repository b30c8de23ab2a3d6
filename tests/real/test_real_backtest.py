"""The picture of a backtest in a real Chromium, light and dark: it is drawn, and nothing lies on anything.

Pictures are kept in RINGBACK_PICTURES, which CI uploads. Skipped where there is no Chromium.
"""

import asyncio
import os
import random
from pathlib import Path
from typing import Any

import pytest

from alerts.backtest import Course
from alerts.detectors import detector_of
from alerts.episodes import of_parts
from alerts.picture import picture
from alerts.rule import RuleFile
from bench.chromium import BROWSER, chromium
from kpis.catalogue.every_kpi import every_kpi
from kpis.dips.ladder import Series
from kpis.rules import DEFAULT_RULES

pytestmark = [
    pytest.mark.real,
    pytest.mark.timeout(120),
    pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine"),
]
M, H, D = 60_000, 3_600_000, 86_400_000
BASE = 1_767_571_200_000  # Monday 2026-01-05T00:00Z
KPIS = every_kpi(DEFAULT_RULES)
SHARE = {"type": "objective", "op": "<", "target": 0.8}
LIMIT = {"type": "threshold", "op": ">", "limit": "90s", "clear": "60s", "min_samples": 1}
SPANS = {"two-weeks": 14 * D, "hours": 6 * H}
# Texts that stick out of the picture, or lie over another.
OVERLAPS = """(() => {
    const whole = document.documentElement.getBoundingClientRect();
    const boxes = [...document.querySelectorAll('text')].map((one) => [one.textContent,
        one.getBoundingClientRect()]);
    const out = boxes.filter(([, b]) => b.left < 0 || b.top < 0 || b.right > whole.right
        || b.bottom > whole.bottom);
    const over = boxes.filter(([, a], i) => boxes.some(([, b], j) => i !== j && a.left < b.right
        && b.left < a.right && a.top < b.bottom && b.top < a.bottom));
    return [...out, ...over].map(([text]) => text);
})()"""
COLOURS = """['.b', 'text', '.s', '.k', '.l'].map((one) => {
    const style = getComputedStyle(document.querySelector(one));
    return one === '.k' || one === '.l' ? style.stroke : style.fill;
})"""
DRAWN = "document.documentElement.tagName === 'svg' && document.readyState === 'complete'"


def course(kpi: str, queue: str, when: dict[str, Any], span: tuple[int, int]) -> Course:
    """A queue with two bad sevenths; of longer spans it is open by day."""
    rng, series = random.Random(queue), Series()
    rule = {"alert": "Alert", "kpi": kpi, "by": ["channel", "queue"], "when": when}
    (group,) = RuleFile.model_validate({"version": 1, "groups": [{"name": "g", "rules": [rule]}]}).groups
    length = span[1] - span[0]
    for minute in range(*span, M):
        n, bad = rng.randrange(3), (minute - span[0]) * 7 // length in (2, 5)
        if n and (length < D or 7 * H <= minute % D < 20 * H):
            good = sum(rng.random() < (0.5 if bad else 0.9) for _ in range(n))
            series.add(minute, good if kpi == "service_level" else (n - good) * 200_000 + n * 9_000, n)
    labels = (("channel", "voice"), ("queue", queue))
    detector = detector_of(group.rules[0], KPIS[kpi], "UTC")
    found = list(of_parts(group, group.rules[0], KPIS[kpi], labels, [series], span, detector))
    return Course("g", group.rules[0], KPIS[kpi], labels, [series], found)


def luminance(colour: str) -> float:
    """Relative luminance of rgb(r, g, b) (WCAG 2.2)."""
    parts = [int(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    red, green, blue = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


async def look(tmp_path: Path) -> None:
    folder = Path(os.environ.get("RINGBACK_PICTURES", tmp_path))
    async with chromium(tmp_path / "profile") as new_tab:
        tab = await new_tab()
        await tab.screen(1070, 400)
        for name, length in SPANS.items():
            span = BASE, BASE + length
            courses = [course("service_level", "sales", SHARE, span), course("asa", "<b>&amp;", LIMIT, span)]
            file = tmp_path / f"{name}.svg"
            file.write_text(picture(courses, span, "Europe/Rome"), "utf-8")
            for scheme in ("light", "dark"):
                await tab.prefers(scheme)
                await tab.open(file.as_uri())
                await tab.until(DRAWN)
                await tab.picture(folder / f"backtest-{name}-{scheme}.png")
                assert await tab.evaluate(OVERLAPS) == []
                back, *drawn = await tab.evaluate(COLOURS)
                assert (luminance(back) > 0.5) == (scheme == "light")
                assert [colour for colour in drawn if contrast(back, colour) < 4.5] == []
            assert await tab.evaluate("document.querySelectorAll('.e').length") >= 2
        assert tab.complaints() == []


def test_the_picture_of_a_backtest_can_be_read_light_and_dark(tmp_path: Path) -> None:
    asyncio.run(look(tmp_path))
