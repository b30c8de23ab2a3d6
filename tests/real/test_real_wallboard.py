"""The wallboard in a real Chromium: what is seen, by whom, and when it looks old.

Pictures are kept in RINGBACK_PICTURES, which CI uploads. Skipped where there is no Chromium.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from support.fetching import fetched, folder_of
from support.wall_server import Database, database, served

from bench.chromium import BROWSER, Tab, chromium
from wallboard.config import parse
from wallboard.server import Wall

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]
CONFIG = parse("""
title: Hartwell Service
locale: en-GB
targets: {service_level: 0.8, abandonment_rate: 0.05, longest_wait_s: 120, asa_s: 30, fcr: 0.75, csat: 4}
queues: [{queue: support, name: Support}, {queue: billing, name: Billing}, {queue: sales, name: Sales}]
""")
WALL = (1920, 1080)
PHONE = (390, 844)
DRAWN = "document.documentElement.dataset.asOf && document.querySelectorAll('.uplot').length >= {0}"
VERDICT = "document.getElementById('verdict')"
# What sticks out of a tile or of the page would be cut off on the wall.
CUT = """[...document.querySelectorAll('.tile, .tile dd, .tile h2, .verdict')]
    .filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.className + one.textContent)"""
SMALLEST = """Math.min(...[...document.querySelectorAll('.heroes dd')]
    .map((one) => parseFloat(getComputedStyle(one).fontSize)))"""
AXE = "axe.run({resultTypes: ['violations']}).then((found) => found.violations.map((one) => \
    `${one.id}: ${one.nodes.map((node) => `${node.target} ${node.failureSummary}`).join(' | ')}`))"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    if BROWSER is None:
        pytest.skip("no Chromium on this machine")
    with database(tmp_path_factory.mktemp("stack"), weeks=2, share=0.3, billing=2) as found:
        yield found


@asynccontextmanager
async def looking(world: Database, profile: Path) -> AsyncIterator[tuple[Tab, str, Wall]]:
    """A tab, the address of a wallboard, and the wallboard."""
    wall = Wall(world.reader(CONFIG))
    async with served(wall) as url, chromium(profile) as new_tab:
        yield await new_tab(), url, wall


def pictures(tmp_path: Path) -> Path:
    return Path(os.environ.get("RINGBACK_PICTURES", tmp_path))


async def shown(tab: Tab, url: str, scheme: str, size: tuple[int, int], charts: int = 8) -> None:
    phone = size == PHONE
    await tab.prefers(scheme)
    await tab.screen(*size, phone=phone, scale=2 if phone else 1)
    await tab.open(url)
    await tab.until(DRAWN.format(charts))
    await tab.until("!!document.querySelector('.legend .usual')")
    await tab.until("document.fonts.status === 'loaded'")


def axe_source() -> str:
    folder = folder_of("axe", {})
    fetched("npm", "install", "--silent", "--no-fund", "axe-core@4.14.1", folder=folder)
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


async def violations(tab: Tab, axe: str) -> Any:
    await tab.evaluate(axe + "; undefined")
    return await tab.evaluate(AXE)


@pytest.mark.parametrize(("scheme", "size"), [("light", WALL), ("dark", WALL), ("dark", PHONE)])
async def test_the_wall(world: Database, tmp_path: Path, scheme: str, size: tuple[int, int]) -> None:
    async with looking(world, tmp_path / "profile") as (tab, url, _):
        await shown(tab, url, scheme, size)
        name = f"wallboard-{scheme}-{'phone' if size == PHONE else 'wall'}.png"
        await tab.picture(pictures(tmp_path) / name)
        assert await tab.evaluate(f"{VERDICT}.dataset.state") == "trouble"
        assert "Billing" in await tab.evaluate(f"{VERDICT}.textContent")
        assert await tab.evaluate("document.getElementById('fresh').dataset.state") == "live"
        states = await tab.evaluate("[...document.querySelectorAll('.tile')].map((one) => one.dataset.state)")
        assert (len(states), states[1]) == (8, "trouble")
        assert await tab.evaluate(CUT) == []
        assert await tab.evaluate("document.documentElement.scrollWidth") <= size[0]
        if size == WALL:  # nobody scrolls a wall
            assert await tab.evaluate("document.documentElement.scrollHeight") <= size[1]
            assert await tab.evaluate(SMALLEST) >= 44  # px; seen from five metres on 55 inches
        assert tab.complaints() == []


async def test_a_number_that_is_old_looks_old_and_comes_back(world: Database, tmp_path: Path) -> None:
    async with looking(world, tmp_path / "profile") as (tab, url, _):
        await shown(tab, url, "dark", WALL)
        fresh = "getComputedStyle(document.querySelector('.tile[data-state=trouble]')).filter"
        assert await tab.evaluate(fresh) == "none"
        world.process.stop()
        try:
            await tab.until(f"{VERDICT}.dataset.state === 'stale'", 15)
            assert "the database does not answer" in await tab.evaluate(f"{VERDICT}.textContent")
            assert await tab.evaluate(fresh) == "grayscale(1)"
            await tab.picture(pictures(tmp_path) / "wallboard-stale.png")
        finally:
            world.process.start()
        await tab.until(f"{VERDICT}.dataset.state === 'trouble'", 15)


async def test_a_line_that_is_cut_is_told_and_connected_again(world: Database, tmp_path: Path) -> None:
    wall = Wall(world.reader(CONFIG))
    async with chromium(tmp_path / "profile") as new_tab:
        tab = await new_tab()
        async with served(wall) as url:
            await shown(tab, url, "light", WALL)
        await tab.until(f"{VERDICT}.dataset.state === 'stale'", 15)
        assert "the connection is lost" in await tab.evaluate(f"{VERDICT}.textContent")
        async with served(Wall(world.reader(CONFIG)), port=int(url.rpartition(":")[2])):
            await tab.until(f"{VERDICT}.dataset.state === 'trouble'", 15)


async def test_it_is_accessible(world: Database, tmp_path: Path) -> None:
    axe = axe_source()
    async with looking(world, tmp_path / "profile") as (tab, url, _):
        for scheme in ("light", "dark"):
            await shown(tab, url, scheme, WALL)
            assert await violations(tab, axe) == []
            await shown(tab, f"{url}/queue?queue=billing", scheme, WALL, 2)
            await tab.until("!!document.querySelector('tbody a')")
            assert await violations(tab, axe) == []
            if scheme == "dark":
                continue
            agent = await tab.evaluate("document.querySelector('tbody a').getAttribute('href')")
            await tab.evaluate("document.querySelectorAll('button.number')[2].click()")
            await tab.until("!!document.querySelector('#explain details')")
            assert await violations(tab, axe) == []
            await tab.open(url + agent)
            await tab.until("!!document.querySelector('tbody tr') && document.documentElement.dataset.asOf")
            assert await violations(tab, axe) == []
            await tab.evaluate("document.getElementById('theme').removeAttribute('aria-label')")
            assert "button-name" in str(await violations(tab, axe)), "it sees faults"


async def test_by_keyboard_from_the_wall_to_the_contacts_behind_a_number(
    world: Database, tmp_path: Path
) -> None:
    async with looking(world, tmp_path / "profile") as (tab, url, _):
        await shown(tab, url, "light", WALL)
        await press(tab, "Tab")
        assert await tab.evaluate("document.activeElement.className") == "skip"
        await until_focused(tab, "document.activeElement.textContent === 'Billing'")
        await press(tab, "Enter")
        await tab.until("location.pathname === '/queue' && !!document.querySelector('button.number')")
        label = "document.activeElement.querySelector?.('.label')?.textContent === 'Service level today'"
        await until_focused(tab, label)
        value = await tab.evaluate("document.activeElement.querySelector('.note').textContent")
        await press(tab, "Enter")
        title = await tab.until(
            "document.querySelector('#explain details') && \
            document.getElementById('explain-title').textContent"
        )
        assert f"= {value.replace(' of ', ' / ')}" in title
        await tab.picture(pictures(tmp_path) / "wallboard-explain.png")
        await press(tab, "Escape")
        assert not await tab.evaluate("document.getElementById('explain').open")
        assert await tab.evaluate(label), "the focus is back where it was"
        await tab.picture(pictures(tmp_path) / "wallboard-queue.png")
        assert tab.complaints() == []


async def press(tab: Tab, key: str) -> None:
    codes = {"Tab": 9, "Enter": 13, "Escape": 27}
    known: dict[str, Any] = {"key": key, "code": key, "windowsVirtualKeyCode": codes[key]}
    text = {"text": "\r"} if key == "Enter" else {}
    await tab.call("Input.dispatchKeyEvent", type="keyDown", **known, **text)
    await tab.call("Input.dispatchKeyEvent", type="keyUp", **known)
    await asyncio.sleep(0.05)


async def until_focused(tab: Tab, condition: str) -> None:
    for _ in range(30):
        if await tab.evaluate(condition):
            return
        await press(tab, "Tab")
    raise AssertionError(f"never: {condition}")
