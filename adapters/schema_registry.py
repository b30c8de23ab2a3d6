"""A schema registry with the Confluent API: registers our schemas, finds those of others by id."""

import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import quote, unquote, urlsplit

import fastavro
import stamina
import structlog
import urllib3

from schemas.codec import DecodeError
from schemas.registry import WriterSchema, current, current_fingerprints, rabin, raw_schema

T = TypeVar("T")
log = structlog.get_logger()
TIMEOUT_S = 10.0
LONGEST_WAIT_S = 5.0
NOT_FOUND = 404
CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"


class RegistryRefused(RuntimeError):
    """The registry answers, and will not take or give a schema: a person has to look."""


class NoSuchSchema(RegistryRefused):
    """There is no schema with this id."""


class Unreachable(ConnectionError):
    """The registry does not answer for now."""


class SchemaRegistry:
    """Ids of schemas, remembered: each is asked for once. Waits, and says so, while the registry is away.

    Subjects are named by record (ringback.ContactStarted), since all event types share one topic.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._base = f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"
        self._headers = {"Content-Type": CONTENT_TYPE, "Accept": f"{CONTENT_TYPE}, application/json"}
        if parts.username:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._headers["Authorization"] = "Basic " + b64encode(pair.encode()).decode()
        self._http = urllib3.PoolManager(timeout=urllib3.Timeout(TIMEOUT_S), retries=False)
        self._ids: dict[str, int] = {}
        self._writers: dict[int, WriterSchema] = {}

    def id_of(self, type_: str) -> int:
        """Id of today's schema of an event type, registered if it is new. Raises RegistryRefused."""
        if type_ not in self._ids:
            schema = current()[type_]
            document = {"schema": json.dumps(raw_schema(type_))}
            path = f"/subjects/{quote(schema['name'], safe='')}/versions"
            answer = self._patiently(lambda: self._ask("POST", path, document))
            self._ids[type_] = int(answer["id"])
        return self._ids[type_]

    def writer(self, schema_id: int) -> WriterSchema:
        """The schema behind an id. Raises DecodeError if there is none, or it is no event of ours."""
        if schema_id not in self._writers:
            try:
                answer = self._patiently(lambda: self._ask("GET", f"/schemas/ids/{schema_id}", None))
            except NoSuchSchema as error:
                raise DecodeError("unknown_schema_id", str(error)) from None
            self._writers[schema_id] = writer_of(json.loads(answer["schema"]), schema_id)
        return self._writers[schema_id]

    def _ask(self, method: str, path: str, document: dict[str, Any] | None) -> dict[str, Any]:
        """One request. Raises Unreachable for what passes, RegistryRefused for what does not."""
        body = None if document is None else json.dumps(document).encode()
        try:
            answer = self._http.request(method, self._base + path, body=body, headers=self._headers)
        except urllib3.exceptions.HTTPError as error:
            raise Unreachable(f"{type(error).__name__}") from None
        if answer.status >= 500 or answer.status == 429:
            raise Unreachable(f"status {answer.status}")
        if answer.status >= 400:
            refused = NoSuchSchema if answer.status == NOT_FOUND else RegistryRefused
            raise refused(f"schema registry: {method} {path}: status {answer.status} {answer.data[:300]!r}")
        found: dict[str, Any] = json.loads(answer.data)
        return found

    def _patiently(self, work: Callable[[], T]) -> T:
        """Do it as soon as the registry answers."""
        told = False
        for attempt in stamina.retry_context(
            on=Unreachable, attempts=None, timeout=None, wait_initial=0.2, wait_max=LONGEST_WAIT_S
        ):
            with attempt:
                try:
                    return work()
                except Unreachable as error:
                    if not told:
                        log.warning("waiting for the schema registry", url=self._base, error=str(error))
                        told = True
                    raise
        raise AssertionError("stamina gives up only with an error")  # pragma: no cover


def writer_of(schema: dict[str, Any], schema_id: int) -> WriterSchema:
    """A registered schema as one that events may have been written with. Raises DecodeError."""
    parsed = fastavro.parse_schema(schema)
    types = {known["name"]: type_ for type_, known in current().items()}
    type_ = types.get(parsed.get("name", "")) if isinstance(parsed, dict) else None
    if type_ is None:
        raise DecodeError("unknown_schema_id", f"schema {schema_id} is no event of Ringback")
    return WriterSchema(type_, parsed, current=rabin(schema) == current_fingerprints()[type_])
