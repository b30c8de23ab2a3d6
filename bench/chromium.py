"""A headless Chromium, driven by its own protocol over a websocket."""

import asyncio
import base64
import itertools
import json
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
START_LIMIT_S = 30
ANSWER_LIMIT_S = 60
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
    "--disable-extensions", "--disable-background-networking", "--remote-debugging-port=0",
    "--force-color-profile=srgb",
)  # fmt: skip


@dataclass(slots=True)
class Tab:
    """A page that is open."""

    socket: aiohttp.ClientWebSocketResponse
    numbers: itertools.count = field(default_factory=lambda: itertools.count(1))
    answers: dict[int, asyncio.Future[Any]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)

    async def listen(self) -> None:
        async for message in self.socket:
            said = json.loads(message.data)
            if "id" in said:
                self.answers.pop(said["id"]).set_result(said)
            else:
                self.events.append(said)

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self.numbers)
        self.answers[number] = asyncio.get_running_loop().create_future()
        await self.socket.send_json({"id": number, "method": method, "params": parameters})
        said = await asyncio.wait_for(self.answers[number], ANSWER_LIMIT_S)
        assert "error" not in said, said
        found: dict[str, Any] = said["result"]
        return found

    async def evaluate(self, script: str) -> Any:
        """The value of an expression, of a promise what it becomes."""
        said = await self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in said, said["exceptionDetails"]
        return said["result"].get("value")

    async def open(self, url: str) -> None:
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.call(f"{domain}.enable")
        await self.call("Page.navigate", url=url)

    async def screen(self, width: int, height: int, phone: bool = False, scale: float = 1) -> None:
        size = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": phone}
        await self.call("Emulation.setDeviceMetricsOverride", **size)

    async def prefers(self, scheme: str) -> None:
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        await self.call("Emulation.setEmulatedMedia", features=features)

    async def offline(self, yes: bool) -> None:
        rates = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        await self.call("Network.emulateNetworkConditions", offline=yes, **rates)

    async def picture(self, path: Path, whole: bool = False) -> None:
        taken = await self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        keep(path, base64.b64decode(taken["data"]))

    async def until(self, script: str, limit_s: float = 20) -> Any:
        """Wait until an expression is true; while the page is not there it is not."""
        careful = f"(() => {{ try {{ return {script} }} catch {{}} }})()"
        until = asyncio.get_running_loop().time() + limit_s
        while not (found := await self.evaluate(careful)):
            assert asyncio.get_running_loop().time() < until, f"not within {limit_s} s: {script}"
            await asyncio.sleep(0.1)
        return found

    def complaints(self) -> list[str]:
        """What the console said that is an error: scripts, the content security policy, files not found."""
        found = []
        for said in self.events:
            if said["method"] == "Runtime.exceptionThrown":
                found.append(str(said["params"]["exceptionDetails"]))
            elif said["method"] == "Log.entryAdded" and said["params"]["entry"]["level"] == "error":
                found.append(said["params"]["entry"]["text"])
        return found


def keep(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def said_in(file: Path) -> list[str]:
    return file.read_text().split() if file.exists() else []


async def port_of(told: Path) -> str:
    """The port that the browser chose, once it has."""
    until = asyncio.get_running_loop().time() + START_LIMIT_S
    while len(said := said_in(told)) < 2:
        assert asyncio.get_running_loop().time() < until, "the browser does not start"
        await asyncio.sleep(0.1)
    return said[0]


@asynccontextmanager
async def chromium(profile: Path) -> AsyncIterator[Callable[[], Any]]:
    """A browser; what is given opens a tab: `tab = await new_tab()`."""
    assert BROWSER is not None
    argv = [BROWSER, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*argv, stdout=pipe, stderr=asyncio.subprocess.DEVNULL)
    told = profile / "DevToolsActivePort"
    tasks: list[asyncio.Task[None]] = []
    async with aiohttp.ClientSession() as session:
        try:
            base = f"http://127.0.0.1:{await port_of(told)}"

            async def new_tab() -> Tab:
                async with session.put(f"{base}/json/new?about:blank") as answer:
                    address = (await answer.json(content_type=None))["webSocketDebuggerUrl"]
                tab = Tab(await session.ws_connect(address, max_msg_size=0))
                tasks.append(asyncio.create_task(tab.listen()))
                return tab

            yield new_tab
        finally:
            for task in tasks:
                task.cancel()
            process.terminate()
            await process.wait()
