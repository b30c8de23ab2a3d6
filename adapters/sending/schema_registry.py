"""A schema registry with the Confluent API: registers our schemas, finds those of others by id."""

import json
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, unquote, urlsplit

import stamina
import structlog
import urllib3

from adapters.sending.schema_references import NoSuchSchema, named_schemas
from schemas.avro_schemas import WriterSchema, current, raw_schema
from schemas.codec import DecodeError
from schemas.confluent import RegistryRefused, RegistryUnreachable
from schemas.foreign import NoEvent, writer_of

T = TypeVar("T")
log = structlog.get_logger()
# A worker or sink that is told to stop waits this long at most for a registry that hangs.
TIMEOUT_S = 3.0
LONGEST_WAIT_S = 5.0
# Ids without a schema that are remembered: more than there can be in all batches in progress.
ABSENT_MAX = 1_000_000
NOT_FOUND = 404
WHO = ": are user and password in SCHEMA_REGISTRY_URL right, and may they do it?"
CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"


class NotLearnt(LookupError):
    """A schema is needed that the registry was not asked for: a mistake of ours, never an event's."""


class SchemaRegistry:
    """Ids of schemas, remembered. Who writes waits, and says so, while the registry is away.

    Who reads asks before (`learn`, streams.kafka.schema_lookup), so that decoding never waits. Subjects are
    named by record (ringback.ContactStarted), since all event types share one topic.
    """

    def __init__(self, url: str, ca_file: Path | None = None) -> None:
        parts = urlsplit(url)
        self.url = f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"
        self._headers = {"Content-Type": CONTENT_TYPE, "Accept": f"{CONTENT_TYPE}, application/json"}
        if parts.username:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._headers["Authorization"] = "Basic " + b64encode(pair.encode()).decode()
        trusted = str(ca_file) if ca_file else None
        timeout = urllib3.Timeout(TIMEOUT_S)
        self._http = urllib3.PoolManager(timeout=timeout, retries=False, ca_certs=trusted)
        self._ids: dict[str, int] = {}
        self._writers: dict[int, WriterSchema | DecodeError] = {}
        self._absent: dict[int, None] = {}  # asked for again with each batch: there may be one by then

    def id_of(self, type_: str) -> int:
        """Id of today's schema of an event type, registered if it is new. Raises RegistryRefused."""
        if type_ not in self._ids:
            schema = current()[type_]
            document = {"schema": json.dumps(raw_schema(type_))}
            path = f"/subjects/{quote(schema['name'], safe='')}/versions"
            answer = self._patiently(lambda: self._ask("POST", path, document))
            self._ids[type_] = known_id(answer, self.url)
        return self._ids[type_]

    def writer(self, schema_id: int) -> WriterSchema:
        """The schema behind an id that was learnt. Raises DecodeError if there is none, or none of ours."""
        writer = self._writers.get(schema_id)
        if isinstance(writer, WriterSchema):
            return writer
        if writer is not None:
            raise DecodeError(writer.reason, writer.detail)
        if schema_id in self._absent:
            raise DecodeError("unknown_schema_id", f"{self.url} has no schema {schema_id}")
        raise NotLearnt(f"the schema registry was not asked for schema {schema_id}")

    def knows(self, schema_id: int) -> bool:
        """Is there nothing left to ask about an id?"""
        return schema_id in self._writers

    def learn(self, schema_id: int) -> None:
        """Ask once for the schema behind an id, blocking. Raises RegistryUnreachable, RegistryRefused."""
        try:
            answer = self._ask("GET", f"/schemas/ids/{schema_id}", None)
        except NoSuchSchema:
            self._absent.pop(schema_id, None)
            self._absent[schema_id] = None  # now the youngest
            if len(self._absent) > ABSENT_MAX:
                del self._absent[next(iter(self._absent))]
            return
        try:
            named = named_schemas(answer, lambda path: self._ask("GET", path, None))
            self._writers[schema_id] = known_writer(answer, named, schema_id)
        except DecodeError as error:
            self._writers[schema_id] = error

    def _ask(self, method: str, path: str, document: dict[str, Any] | None) -> dict[str, Any]:
        """One request. Raises RegistryUnreachable (it passes), RegistryRefused (it does not)."""
        body = None if document is None else json.dumps(document).encode()
        try:
            answer = self._http.request(method, self.url + path, body=body, headers=self._headers)
        except urllib3.exceptions.SSLError as error:
            if "CERTIFICATE_VERIFY_FAILED" not in str(error):  # one that just stops breaks off as well
                raise RegistryUnreachable(f"no TLS: {error}") from None
            how = "SCHEMA_REGISTRY_CA_FILE names the authorities to trust, and the address must name the host"
            raise RegistryRefused(f"schema registry at {self.url}: {error}. {how}") from None
        except urllib3.exceptions.HTTPError as error:
            raise RegistryUnreachable(f"{type(error).__name__}") from None
        if answer.status >= 500 or answer.status == 429:
            raise RegistryUnreachable(f"status {answer.status}")
        if answer.status >= 400:
            refused = NoSuchSchema if answer.status == NOT_FOUND else RegistryRefused
            hint = WHO if answer.status in (401, 403) else ""
            said = f"status {answer.status} {answer.data[:300]!r}"
            raise refused(f"schema registry: {method} {path}: {said}{hint}")
        try:
            found = json.loads(answer.data)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise RegistryRefused(
                f"schema registry: {method} {path}: what answers at {self.url} is no registry"
            )
        return found

    def _patiently(self, work: Callable[[], T]) -> T:
        """Do it as soon as the registry answers."""
        told = False
        for attempt in stamina.retry_context(
            on=RegistryUnreachable, attempts=None, timeout=None, wait_initial=0.2, wait_max=LONGEST_WAIT_S
        ):
            with attempt:
                try:
                    return work()
                except RegistryUnreachable as error:
                    if not told:
                        log.warning("waiting for the schema registry", url=self.url, error=str(error))
                        told = True
                    raise
        raise AssertionError("stamina gives up only with an error")  # pragma: no cover


def known_id(answer: dict[str, Any], url: str) -> int:
    """The id in an answer. Raises RegistryRefused where there is none."""
    found = answer.get("id")
    if not isinstance(found, int) or not 0 <= found < 2**31:
        raise RegistryRefused(f"what answers at {url} is no schema registry: it gives no id for a schema")
    return found


def known_writer(answer: dict[str, Any], named: dict[str, Any], schema_id: int) -> WriterSchema:
    """A registered schema as one that events may have been written with. Raises DecodeError."""
    try:
        if answer.get("schemaType", "AVRO") != "AVRO":
            raise NoEvent(f"is {answer['schemaType']}; only Avro is read")
        return writer_of(json.loads(answer.get("schema")), named)  # type: ignore[arg-type]
    except NoEvent as error:
        raise DecodeError("unknown_schema_id", f"schema {schema_id} {error}") from None
    except Exception as error:  # whatever nonsense a registry gives provokes in the parser is no schema
        raise DecodeError("unknown_schema_id", f"schema {schema_id} is no Avro schema: {error}") from None
