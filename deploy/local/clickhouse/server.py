"""The ClickHouse HTTP interface on loopback, answered by the engine in this process."""

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from aiohttp import ClientPayloadError, web
from aiohttp.http_exceptions import HttpProcessingError

from deploy.local.clickhouse.compression import choose_encoding, encode
from deploy.local.clickhouse.errors import (
    BAD_ARGUMENTS,
    NETWORK_ERROR,
    NOT_ENOUGH_SPACE,
    TOO_MANY_SIMULTANEOUS_QUERIES,
    QueryError,
    refused,
)
from deploy.local.clickhouse.execute import Answer, Executor, Job
from deploy.local.clickhouse.forms import is_form, read_form
from deploy.local.clickhouse.origin import check_origin
from deploy.local.clickhouse.settings import RequestOptions, parse_options
from deploy.local.clickhouse.spool import Incoming, SpoolFile, decoded, receive
from deploy.local.clickhouse.users import User, authenticate

CHUNK_BYTES = 256 * 1024
SWEEP_S = 10.0
SERVER_NAME = "embedded ClickHouse"


@dataclass(frozen=True)
class Limits:
    """How much one process takes on: queries at once, requests in the house, bytes of one body."""

    threads: int = 8
    requests: int = 64
    body_bytes: int = 1 << 30


class HttpInterface:
    """Routes and handlers; one instance per process."""

    def __init__(self, executor: Executor, users: Mapping[str, User], spool: Path, limits: Limits) -> None:
        self._executor = executor
        self._users = users
        self._spool = spool
        self._limits = limits
        self._pool = ThreadPoolExecutor(limits.threads, "query")
        self._open_requests = 0
        self._idle = asyncio.Event()

    async def drained(self, timeout_s: float) -> None:
        """Return once no request is open, or when the time is over."""
        if self._open_requests:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), timeout_s)

    def app(self) -> web.Application:
        """The aiohttp application. Its runner must leave bodies compressed (auto_decompress=False)."""
        app = web.Application()
        app.router.add_get("/ping", self._ping)
        app.router.add_get("/replicas_status", self._ping)
        app.router.add_get("/", self._query)
        app.router.add_post("/", self._query)
        app.cleanup_ctx.append(self._housekeeping)
        return app

    async def _housekeeping(self, app: web.Application) -> AsyncIterator[None]:
        async def sweep() -> None:
            while True:
                await asyncio.sleep(SWEEP_S)
                await asyncio.to_thread(self._executor.sessions.sweep)

        task = asyncio.create_task(sweep())
        yield
        task.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _ping(self, request: web.Request) -> web.Response:
        return web.Response(text="Ok.\n", headers={"Server": SERVER_NAME})

    async def _query(self, request: web.Request) -> web.Response:
        query_id = request.query.get("query_id") or str(uuid.uuid4())
        headers = {
            "Server": SERVER_NAME,
            "X-ClickHouse-Server-Display-Name": SERVER_NAME,
            "X-ClickHouse-Query-Id": "".join(c for c in query_id if c.isascii() and c.isprintable()),
            "X-Content-Type-Options": "nosniff",  # an answer is never a page
            "X-ClickHouse-Timezone": self._executor.engine.timezone,
        }
        try:
            return await self._admitted(request, headers)
        except QueryError as failure:
            error = failure
        except (ConnectionError, ClientPayloadError, HttpProcessingError):
            # The client is gone, and with it the end of its data.
            error = refused(NETWORK_ERROR, "The request body ended early; nothing was stored.", 400)
        except ValueError as failure:
            # Bytes that are no text, numbers that are none: of the request's head, which only we read.
            error = refused(BAD_ARGUMENTS, f"The request cannot be read: {type(failure).__name__}.", 400)
        except OSError as failure:
            error = refused(NOT_ENOUGH_SPACE, f"The data folder cannot be written: {failure.strerror}.")
        headers["X-ClickHouse-Exception-Code"] = str(error.code)
        if error.status == 503:
            headers["Retry-After"] = "1"
        body = (error.text + "\n").encode("utf-8", "replace")  # it may quote bytes that are no text
        return web.Response(
            status=error.status, body=body, headers=headers, content_type="text/plain", charset="UTF-8"
        )

    async def _admitted(self, request: web.Request, headers: dict[str, str]) -> web.Response:
        check_origin(request.headers)
        user = authenticate(self._users, request.headers, request.query)
        if self._open_requests >= self._limits.requests:
            raise refused(
                TOO_MANY_SIMULTANEOUS_QUERIES,
                f"Too many simultaneous requests. Maximum: {self._limits.requests}. Try again in a second.",
            )
        self._open_requests += 1
        self._idle.clear()
        try:
            with SpoolFile(self._spool) as spool:
                return await self._answer(request, user, spool, headers)
        finally:
            self._open_requests -= 1
            if not self._open_requests:
                self._idle.set()

    async def _answer(
        self, request: web.Request, user: User, spool: SpoolFile, headers: dict[str, str]
    ) -> web.Response:
        options, incoming = await self._read(request, spool)
        if not incoming.text.strip():
            return web.Response(text="Ok.\n", headers=headers)
        job = Job(user, incoming, options, is_get=request.method == "GET")
        accept = request.headers.get("Accept-Encoding", "") if options.compress_response else ""
        loop = asyncio.get_running_loop()
        answer, encoding, body = await loop.run_in_executor(self._pool, self._work, job, accept)
        headers["X-ClickHouse-Summary"] = _summary(answer)
        if answer.format:
            headers["X-ClickHouse-Format"] = answer.format
        if encoding:
            headers["Content-Encoding"] = encoding
        return web.Response(body=body, headers=headers, content_type=_content_type(answer.format))

    def _work(self, job: Job, accept: str) -> tuple[Answer, str, bytes]:
        answer = self._executor.run(job)
        encoding = choose_encoding(accept, len(answer.result.body))
        return answer, encoding, encode(answer.result.body, encoding) if encoding else answer.result.body

    async def _read(self, request: web.Request, spool: SpoolFile) -> tuple[RequestOptions, Incoming]:
        pairs = list(request.query.items())
        if is_form(request):
            pairs += await read_form(request)
            options = parse_options(pairs, request.headers)
            return options, await receive(options.query, _no_chunks(), spool)
        options = parse_options(pairs, request.headers)
        encoding = request.headers.get("Content-Encoding", "").strip().lower()
        chunks = decoded(request.content.iter_chunked(CHUNK_BYTES), encoding, self._limits.body_bytes)
        return options, await receive(options.query, chunks, spool)


async def _no_chunks() -> AsyncIterator[bytes]:
    for chunk in tuple[bytes]():
        yield chunk


def _summary(answer: Answer) -> str:
    result = answer.result
    figures = {
        "read_rows": result.read_rows,
        "read_bytes": result.read_bytes,
        "written_rows": result.written_rows,
        "written_bytes": result.written_bytes,
        "total_rows_to_read": result.read_rows,
        "result_rows": result.written_rows or result.result_rows,
        "result_bytes": result.written_bytes or len(result.body),
        "elapsed_ns": result.elapsed_ns,
    }
    return json.dumps({name: str(value) for name, value in figures.items()})


def _content_type(fmt: str) -> str:
    if fmt.startswith("JSON"):
        return "application/x-ndjson" if fmt.endswith("EachRow") else "application/json"
    if fmt.startswith(("TabSeparated", "TSV")):
        return "text/tab-separated-values"
    if fmt.startswith("CSV"):
        return "text/csv"
    return "text/plain" if not fmt else "application/octet-stream"
