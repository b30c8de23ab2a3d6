"""The ClickHouse HTTP interface, answered by the engine in this process."""

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from aiohttp import ClientPayloadError, web
from aiohttp.http_exceptions import HttpProcessingError

from deploy.local.clickhouse.blocks import BlockDecoder
from deploy.local.clickhouse.compression import Decoder
from deploy.local.clickhouse.errors import (
    BAD_ARGUMENTS,
    NETWORK_ERROR,
    NOT_ENOUGH_SPACE,
    SOCKET_TIMEOUT,
    QueryError,
    refused,
)
from deploy.local.clickhouse.execute import Answer, Executor, Job
from deploy.local.clickhouse.forms import is_form, read_form
from deploy.local.clickhouse.hello import hello, is_hello
from deploy.local.clickhouse.killing import mark_of
from deploy.local.clickhouse.origin import LOCAL_NAMES, check_origin
from deploy.local.clickhouse.places import Limits, Places
from deploy.local.clickhouse.replies import Packing, content_type, summary
from deploy.local.clickhouse.settings import RequestOptions, parse_options
from deploy.local.clickhouse.spool import Incoming, SpoolFile, decoded, receive
from deploy.local.clickhouse.statement import READ_KEYWORDS
from deploy.local.clickhouse.tokens import first_keyword
from deploy.local.clickhouse.users import User, authenticate

CHUNK_BYTES = 256 * 1024
SWEEP_S = 10.0
SERVER_NAME = "embedded ClickHouse"


@dataclass
class Reply:
    """What is known of a reply before there is one: headers, and how the client wants its body."""

    headers: dict[str, str]
    packing: Packing


class HttpInterface:
    """Routes and handlers; one instance per process."""

    def __init__(
        self,
        executor: Executor,
        users: Mapping[str, User],
        spool: Path,
        limits: Limits,
        names: Collection[str] = LOCAL_NAMES,
    ) -> None:
        self._executor = executor
        self._users = users
        self._spool = spool
        self._limits = limits
        self._names = names
        self._serials = itertools.count(1)
        self.places = Places(users, limits)

    def app(self) -> web.Application:
        """The aiohttp application. Its runner must leave bodies compressed (auto_decompress=False)."""
        app = web.Application()
        app.router.add_get("/ping", self._ping)
        app.router.add_get("/replicas_status", self._ping)
        app.router.add_get("/", self._query, expect_handler=_expected)
        app.router.add_post("/", self._query, expect_handler=_expected)
        app.router.add_route("*", "/{path:.*}", _nowhere, expect_handler=_expected)
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
        self.places.close()

    async def _ping(self, request: web.Request) -> web.Response:
        return web.Response(text="Ok.\n", headers={"Server": SERVER_NAME})

    async def _query(self, request: web.Request) -> web.Response:
        headers = {
            "Server": SERVER_NAME,
            "X-ClickHouse-Server-Display-Name": SERVER_NAME,
            "X-ClickHouse-Timezone": self._executor.engine.timezone,
            "X-Content-Type-Options": "nosniff",  # an answer is never a page
        }
        reply = Reply(headers, Packing())
        try:
            return await self._admitted(request, reply)
        except QueryError as failure:
            error = failure
        except (ConnectionError, ClientPayloadError, HttpProcessingError):
            # The client is gone, and with it the end of its data.
            error = refused(NETWORK_ERROR, "The request body ended early; nothing was stored.", 400)
        except TimeoutError:
            error = refused(SOCKET_TIMEOUT, "The request body did not come in time; nothing was stored.")
        except ValueError as failure:
            # Bytes that are no text, numbers that are none: of the request's head, which only we read.
            error = refused(BAD_ARGUMENTS, f"The request cannot be read: {type(failure).__name__}.", 400)
        except OSError as failure:
            error = refused(NOT_ENOUGH_SPACE, f"The data folder cannot be written: {failure.strerror}.")
        return self._failed(error, reply)

    def _failed(self, error: QueryError, reply: Reply) -> web.Response:
        text = f"{error.text} (version {self._executor.engine.version} (embedded))\n"
        # It may quote bytes that are no text.
        body, packed = reply.packing.packed(text.encode("utf-8", "replace"))
        headers = reply.headers | packed | {"X-ClickHouse-Exception-Code": str(error.code)}
        if error.status == 503:
            headers["Retry-After"] = "1"
        headers["Content-Type"] = "text/plain; charset=UTF-8"
        return web.Response(status=error.status, body=body, headers=headers)

    async def _admitted(self, request: web.Request, reply: Reply) -> web.Response:
        check_origin(request.headers, self._names)
        user = authenticate(self._users, request.headers, request.query)
        with self.places.taken(user.name), SpoolFile(self._spool) as spool:
            async with asyncio.timeout(self._limits.body_s):
                options, incoming = await self._read(request, spool)
            query_id = options.query_id or str(uuid.uuid4())
            shown = "".join(c for c in query_id if c.isascii() and c.isprintable())
            reply.headers["X-ClickHouse-Query-Id"] = shown
            reply.packing = Packing.wanted(options, request.headers.get("Accept-Encoding", ""))
            if not incoming.text.strip():
                return web.Response(text="Ok.\n", headers=reply.headers)
            if options.protocol_version and is_hello(incoming.text):
                return self._hello(reply)
            mark = mark_of(user.name, next(self._serials), query_id)
            job = Job(user, incoming, options, request.method == "GET", mark)
            return await self._answer(job, reply)

    def _hello(self, reply: Reply) -> web.Response:
        engine = self._executor.engine
        body, packed = reply.packing.packed(hello(SERVER_NAME, engine.version, engine.timezone))
        headers = reply.headers | packed | {"X-ClickHouse-Format": "Native"}
        headers["Content-Type"] = content_type("Native")
        return web.Response(body=body, headers=headers)

    async def _answer(self, job: Job, reply: Reply) -> web.Response:
        def work() -> tuple[Answer, bytes, dict[str, str]]:
            answer = self._executor.run(job)
            return answer, *reply.packing.packed(answer.result.body)

        def kill() -> None:
            self._executor.kill(job.mark)

        reads = not job.incoming.insert and first_keyword(job.incoming.text) in READ_KEYWORDS
        answer, body, packed = await self.places.run(job.user.name, work, kill if reads else None)
        headers = reply.headers | packed | {"X-ClickHouse-Summary": summary(answer)}
        if answer.format:
            headers["X-ClickHouse-Format"] = answer.format
        headers["Content-Type"] = content_type(answer.format)
        return web.Response(body=body, headers=headers)

    async def _read(self, request: web.Request, spool: SpoolFile) -> tuple[RequestOptions, Incoming]:
        pairs = list(request.query.items())
        if is_form(request):
            pairs += await read_form(request)
            options = parse_options(pairs, request.headers)
            return options, await receive(options.query, _no_chunks(), spool)
        options = parse_options(pairs, request.headers)
        encoding = request.headers.get("Content-Encoding", "").strip().lower()
        chunks = decoded(self._chunks(request), _decoder(encoding), self._limits.body_bytes)
        if options.decompress_blocks:
            chunks = decoded(chunks, BlockDecoder(), self._limits.body_bytes)
        return options, await receive(options.query, chunks, spool)

    async def _chunks(self, request: web.Request) -> AsyncIterator[bytes]:
        """The body; raises TimeoutError when its sender is silent for too long."""
        while True:
            async with asyncio.timeout(self._limits.chunk_s):
                chunk = await request.content.read(CHUNK_BYTES)
            if not chunk:
                return
            yield chunk


async def _nowhere(request: web.Request) -> web.Response:
    """Paths that are not there, and methods other than GET and POST."""
    return web.Response(
        status=405 if request.path == "/" else 404, text="Here is nothing; use GET or POST of /.\n"
    )


async def _expected(request: web.Request) -> web.Response | None:
    """Answer the header Expect: aiohttp quotes one that it does not know, and fails where it is no text."""
    if request.headers.get("Expect", "").lower() != "100-continue":
        return web.Response(status=417, text="Unknown Expect.\n")
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    request.writer.output_size = 0  # it is no part of the answer
    return None


def _decoder(encoding: str) -> Decoder | None:
    return Decoder(encoding) if encoding not in ("", "identity") else None


async def _no_chunks() -> AsyncIterator[bytes]:
    for chunk in tuple[bytes]():
        yield chunk
