"""``python -m deploy.local.clickhouse``: serve until SIGTERM or Ctrl-C."""

import argparse
import asyncio
import contextlib
import logging
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from deploy.local.clickhouse.access import write_configuration
from deploy.local.clickhouse.engine import Engine, default_memory_limit
from deploy.local.clickhouse.errors import QueryError
from deploy.local.clickhouse.execute import Executor
from deploy.local.clickhouse.names import DATABASE, EXIT_UNREACHABLE, MESSAGE_PREFIX
from deploy.local.clickhouse.origin import LOCAL_NAMES
from deploy.local.clickhouse.passwords import BI_FILE, OWNER_FILE, keep_password
from deploy.local.clickhouse.places import Limits
from deploy.local.clickhouse.process import netloc
from deploy.local.clickhouse.server import HttpInterface
from deploy.local.clickhouse.users import stack_users
from deploy.local.errors import LocalStackError
from deploy.local.lock import data_dir_lock
from deploy.local.ports import LOOPBACK, require_free

MOVE = "move the folder away, or set RINGBACK_DATA_DIR to another folder"
STOP_S = 5.0
FORCE_S = 0.5
MAX_URL_BYTES = 1 << 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve; 0 after a clean stop, 3 with one line on stderr when the folder or the port cannot be used."""
    options = _parser().parse_args(arguments)
    folder = options.data_dir.resolve() / "clickhouse"
    try:
        with data_dir_lock(folder):
            return _serve(folder, options)
    except LocalStackError as error:
        print(f"{MESSAGE_PREFIX}{error.message}; {error.hint}", file=sys.stderr, flush=True)
        return EXIT_UNREACHABLE
    except QueryError as error:
        text = " ".join(error.text.split())
        print(f"{MESSAGE_PREFIX}the data in {folder} cannot be used ({text}); {MOVE}", file=sys.stderr)
        return EXIT_UNREACHABLE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m deploy.local.clickhouse", description="Embedded ClickHouse")
    parser.add_argument(
        "--data-dir", type=Path, required=True, help="data are kept in its folder 'clickhouse'"
    )
    parser.add_argument("--port", type=int, default=8123)
    parser.add_argument("--host", default=LOOPBACK, help="address to listen on")
    parser.add_argument(
        "--allowed-host",
        action="append",
        default=[],
        help="name by which clients may call it, besides localhost",
    )
    parser.add_argument(
        "--memory-limit", type=int, default=default_memory_limit(), help="bytes for the engine"
    )
    parser.add_argument("--max-requests", type=int, default=Limits.requests, help="beyond this: 503")
    parser.add_argument(
        "--silence-s", type=float, default=Limits.chunk_s, help="a body must go on within: 408"
    )
    parser.add_argument("--max-body", type=int, default=Limits.body_bytes, help="bytes of one request")
    return parser


def _serve(folder: Path, options: argparse.Namespace) -> int:
    os.environ["TZ"] = "UTC"  # else the engine's zone is the machine's, and a time without one means another
    time.tzset()
    spool, data = folder / "spool", folder / "engine"
    with contextlib.closing(_bind(options.host, options.port)) as listener:
        try:
            shutil.rmtree(spool, ignore_errors=True)  # what a killed process left
            spool.mkdir()
            data.mkdir(exist_ok=True)
            configuration = write_configuration(folder, options.memory_limit)
        except OSError as error:
            raise LocalStackError(
                f"folder {folder} cannot be used: {error.strerror}",
                "make it writable, or set RINGBACK_DATA_DIR to another folder",
            ) from None
        engine = Engine(data, options.memory_limit, configuration)
        engine.create_database(DATABASE)
        executor = Executor(engine)
        users = stack_users(*(keep_password(folder.parent / name) for name in (OWNER_FILE, BI_FILE)))
        limits = Limits(requests=options.max_requests, body_bytes=options.max_body, chunk_s=options.silence_s)
        names = LOCAL_NAMES | {options.host.lower(), *(name.lower() for name in options.allowed_host)}
        interface = HttpInterface(executor, users, spool, limits, names)
        asyncio.run(_until_stopped(interface, listener))
        # A query that outlived our patience would hold up the closing; the exit just ends it.
        if not executor.busy():
            executor.sessions.close()
            engine.close()
    return 0


def _bind(host: str, port: int) -> socket.socket:
    """Take the port before the engine opens: the cheap check first."""
    require_free(port, "the embedded ClickHouse", "RINGBACK_CLICKHOUSE_PORT")
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise LocalStackError(
            f"port {port} on {host} cannot be used: {error.strerror}",
            "set RINGBACK_CLICKHOUSE_PORT to a free port, and RINGBACK_CLICKHOUSE_HOST to an address of this "
            "machine",
        ) from None
    return listener


def _says_enough(record: logging.LogRecord) -> bool:
    """Whether a line of aiohttp is worth keeping: whoever sends no HTTP gets a 400, and no traceback here."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


async def _until_stopped(interface: HttpInterface, listener: socket.socket) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    logging.getLogger("aiohttp.server").addFilter(_says_enough)
    runner = web.AppRunner(
        interface.app(),
        access_log=None,
        auto_decompress=False,  # ours reads concatenated frames; aiohttp knows neither lz4 nor those
        max_line_size=MAX_URL_BYTES,
        max_field_size=MAX_URL_BYTES,
        shutdown_timeout=FORCE_S,
        handler_cancellation=True,  # so that a query ends when its client goes
    )
    await runner.setup()
    site = web.SockSite(runner, listener)
    await site.start()
    host, port = listener.getsockname()[:2]
    print(f"{MESSAGE_PREFIX}ready on http://{netloc(host, port)}", file=sys.stderr, flush=True)
    await stop.wait()
    print(f"{MESSAGE_PREFIX}stopping", file=sys.stderr, flush=True)
    await site.stop()
    await interface.places.drained(STOP_S)
    await runner.cleanup()


if __name__ == "__main__":
    status = main()
    sys.stderr.flush()
    # Without the interpreter's farewell, which would wait for the thread of a query that still runs.
    os._exit(status)
