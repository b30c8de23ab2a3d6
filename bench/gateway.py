"""`python -m bench.gateway`: signed webhooks at a fixed rate through `ringback gateway`.

Status 1 if one is lost. The sender keeps its own list of what was answered 202 and sends again what was not.
In the middle the broker is away for `--away` seconds and the gateway is killed (-9) `--kills` times at seeded
random moments; with `--disk` the spool is on a disk of that size, which fills. In the end every accepted
webhook must be in Kafka. Times are from when a webhook
was due, so that one that waits behind others counts with its wait; of those that were sent again they say
nothing and are left out.
"""

import argparse
import asyncio
import hashlib
import hmac
import importlib
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import aiohttp
import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from bench.posting import Poster
from bench.small_disk import disk
from deploy.local.kafka.broker import LocalKafka
from deploy.local.kafka.runtime import default_cache_dir, ensure_runtime
from deploy.local.ports import free_port
from schemas.codec import decode
from schemas.topics import CONTACT_EVENTS
from streams.health.garbage_collector import collect_rarely
from streams.kafka.topics import ensure_topics

SECRET = "bench-secret-of-zoom"  # noqa: S105 -- of this run alone
PARTITIONS = 4
PADDING = "x" * 1_700  # a webhook of some 2 KB
RETRY_S, FULL_S, DRAIN_S, START_S = 0.1, 1.0, 120.0, 30.0


@dataclass
class Found:
    """What a run came to."""

    accepted: list[str] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    took_ms: list[float] = field(default_factory=list)
    kills: int = 0
    spool_max: int = 0
    cpu_s: float = 0.0
    sender_cpu_s: float = 0.0


def webhook(number: int, run: str) -> tuple[str, bytes, dict[str, str]]:
    """A signed webhook of Zoom that begins a contact: its id, body and headers."""
    name = f"{run}-{number}"
    engagement = {
        "engagement_id": name,
        "channel_types": ["voice"],
        "direction": "inbound",
        "queues": [{"queue_id": "q1", "queue_name": "billing"}],
        "note": PADDING,
    }
    now = time.time()
    event = {"event": "contact_center.engagement_started", "event_ts": int(now * 1000)}
    body = orjson.dumps(event | {"payload": {"account_id": "acc", "object": engagement}})
    stamp = str(int(now))
    made = hmac.digest(SECRET.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hex()
    headers = {"x-zm-request-timestamp": stamp, "x-zm-signature": f"v0={made}"}
    return name, body, headers | {"Content-Type": "application/json"}


class GatewayProcess:
    """`ringback gateway`, which can be killed and is started again."""

    def __init__(self, folder: Path, servers: str, port: int, metrics_port: int, spool: Path) -> None:
        code = "from cli.entry import run; run()"
        self._command = [sys.executable, "-c", code, "gateway"]
        self._env = os.environ | {
            "KAFKA_BOOTSTRAP_SERVERS": servers,
            "RINGBACK_DATA_DIR": str(folder),
            "RINGBACK_PARTITIONS": str(PARTITIONS),
            "RINGBACK_GATEWAY_PORT": str(port),
            "RINGBACK_METRICS_PORT": str(metrics_port),
            "RINGBACK_GATEWAY_SPOOL": str(spool),
            "RINGBACK_CUSTOMER_KEY_SECRET": "k" * 32,
            "RINGBACK_SECRET_ZOOM": SECRET,
            "PYTHONPATH": str(Path(__file__).parents[1]),
        }
        self._log = (folder / "gateway.log").open("ab")
        self._folder = folder
        self.start()

    def start(self) -> None:
        """Start it."""
        self._process = subprocess.Popen(
            self._command, env=self._env, stderr=self._log, stdout=self._log, cwd=self._folder
        )

    def kill(self) -> None:
        """kill -9, and start again."""
        self._process.kill()
        self._process.wait()
        self.start()

    def stop(self) -> None:
        """SIGTERM, and wait."""
        self._process.terminate()
        self._process.wait(30)

    @property
    def cpu_s(self) -> float:
        """User and system time of the process now."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def send(poster: Poster, number: int, run: str, due: float, found: Found) -> None:
    """One webhook, until it is accepted."""
    again = False
    while True:
        name, body, headers = webhook(number, run)
        try:
            status = str(await poster.post("/v1/sources/zoom", body, headers))
        except OSError as error:
            status = type(error).__name__
        found.answers[status] += 1
        if status == "202":
            found.accepted.append(name)
            if not again:
                found.took_ms.append((time.perf_counter() - due) * 1000)
            return
        again = True
        wait_s = FULL_S if status == "503" else RETRY_S
        await asyncio.sleep(wait_s * (1 + 4 * Random(number).random()))


async def load(port: int, wanted: argparse.Namespace, found: Found) -> None:
    """Webhooks at the rate, whatever became of those before."""
    poster = Poster(port, wanted.connections)
    begin, sending = time.perf_counter() + 0.5, set[asyncio.Task[None]]()
    for number in range(int(wanted.rate * wanted.seconds)):
        due = begin + number / wanted.rate
        if (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        task = asyncio.create_task(send(poster, number, f"run{wanted.seed}", due, found))
        sending.add(task)
        task.add_done_callback(sending.discard)
    await asyncio.gather(*sending)
    poster.close()


async def metric(port: int, name: str) -> float:
    """A value of the gateway's metrics; -1 while it does not answer."""
    with suppress(aiohttp.ClientError, OSError, TimeoutError):
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/metrics") as got:
            for line in (await got.text()).splitlines():
                if line.startswith(f"{name} "):
                    return float(line.split()[1])
    return -1.0


async def until(port: int, done: float, found: Found) -> None:
    """Wait until the spool has so many bytes. Raises TimeoutError."""
    async with asyncio.timeout(DRAIN_S):
        while (size := await metric(port, "ringback_gateway_spool_bytes")) != done:
            found.spool_max = max(found.spool_max, int(size))
            await asyncio.sleep(0.2)


async def trouble(
    kafka: LocalKafka, gateway: GatewayProcess, wanted: argparse.Namespace, found: Found
) -> None:
    """The broker goes and comes back, and the gateway is killed, while the load goes on."""
    rng = Random(f"gateway {wanted.seed}")
    events = [(rng.uniform(0.1, 0.9) * wanted.seconds, "kill") for _ in range(wanted.kills)]
    if wanted.away:
        middle = wanted.seconds / 2
        events += [(max(middle - wanted.away / 2, 0.5), "stop"), (middle + wanted.away / 2, "start")]
    begin = time.perf_counter()
    for at_s, what in sorted(events):
        await asyncio.sleep(max(at_s - (time.perf_counter() - begin), 0))
        if what == "kill":
            found.kills += 1
            await asyncio.to_thread(gateway.kill)
        else:
            await asyncio.to_thread(kafka.stop if what == "stop" else kafka.start)


async def in_kafka(servers: str) -> Counter[str]:
    """How often the beginning of each contact is in Kafka."""
    places = [TopicPartition(CONTACT_EVENTS, number) for number in range(PARTITIONS)]
    found: Counter[str] = Counter()
    async with AIOKafkaConsumer(bootstrap_servers=servers) as consumer:
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        ends = await consumer.end_offsets(places)
        while any([await consumer.position(place) < ends[place] for place in places]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                events = (decode(record.value) for record in records)
                found.update(e.contact_id for e in events if e.type == "contact_started")
    return found


async def run(kafka: LocalKafka, folder: Path, spool: Path, wanted: argparse.Namespace) -> bool:
    """One run; is everything accepted in Kafka?"""
    await ensure_topics(kafka.bootstrap_servers, PARTITIONS, 1)
    port, metrics_port = free_port(), free_port()
    gateway, found = GatewayProcess(folder, kafka.bootstrap_servers, port, metrics_port, spool), Found()
    try:
        async with asyncio.timeout(START_S):
            while await metric(metrics_port + 32, "ringback_gateway_spool_bytes") < 0:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        before = gateway.cpu_s
        begin = time.perf_counter()
        troubling = asyncio.create_task(trouble(kafka, gateway, wanted, found))
        collect_rarely()  # a pause of the sender would count as the gateway's
        sender = time.process_time()
        await load(port, wanted, found)
        found.sender_cpu_s = time.process_time() - sender
        seconds = time.perf_counter() - begin
        await troubling
        found.cpu_s = gateway.cpu_s - before
        await until(metrics_port + 32, 0.0, found)
    finally:
        await asyncio.to_thread(gateway.stop)
    stored = await in_kafka(kafka.bootstrap_servers)
    lost = [name for name in found.accepted if not stored[f"zoom/{name}"]]
    report(found, seconds, stored, lost)
    return not lost


def report(found: Found, seconds: float, stored: Counter[str], lost: list[str]) -> None:
    """The figures of a run."""
    took = sorted(found.took_ms) or [0.0]
    p50, p99, p999 = (took[min(int(len(took) * q), len(took) - 1)] for q in (0.5, 0.99, 0.999))
    cpu = f", {found.cpu_s / max(len(found.accepted), 1) * 1e6:.0f} us of CPU each" if not found.kills else ""
    print(
        f"accepted {len(found.accepted):,} in {seconds:.1f} s ({len(found.accepted) / seconds:,.0f}/s{cpu})"
    )
    print(f"the sender took {found.sender_cpu_s / max(len(found.accepted), 1) * 1e6:.0f} us of CPU each")
    print(f"answered at once: p50 {p50:.1f} ms, p99 {p99:.1f} ms, p99.9 {p999:.1f} ms, max {took[-1]:.0f} ms")
    print(f"answers: {dict(found.answers)}; kills {found.kills}; spool at the end {found.spool_max:,} bytes")
    print(
        f"in Kafka: {len(stored):,} contacts, {sum(stored.values()):,} records; lost {len(lost)} {lost[:3]}"
    )


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.gateway", description=__doc__)
    parser.add_argument("--rate", type=float, default=1_000.0, help="webhooks a second")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--away", type=float, default=0.0, help="seconds for which the broker is stopped")
    parser.add_argument("--kills", type=int, default=0, help="of the gateway, -9")
    parser.add_argument("--connections", type=int, default=100)
    parser.add_argument("--disk", default="", help="size of a disk for the spool alone, such as 16m; as root")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(arguments)


def main(wanted: argparse.Namespace) -> int:
    """Start a broker, run, say what was found."""
    configured = os.environ.get("RINGBACK_CACHE_DIR")
    cache = Path(configured) if configured else default_cache_dir()
    runtime = ensure_runtime(cache, os.environ.get("RINGBACK_MAVEN_REPOSITORY"), print)
    with TemporaryDirectory(prefix="ringback-bench-") as name:
        kafka = LocalKafka(Path(name), free_port(), runtime)
        try:
            kafka.start()
            with suppress(ImportError):
                importlib.import_module("uvloop").install()
            with disk(Path(name) / "spool", wanted.disk) as spool:
                return 0 if asyncio.run(run(kafka, Path(name), spool, wanted)) else 1
        finally:
            kafka.stop()


if __name__ == "__main__":
    sys.exit(main(options()))
