"""How webhooks are signed: one table, one verifier. Over the raw bytes, before anything is parsed.

A scheme says what is signed (`message`), with which hash, how it is written, and in which header. Two secrets
may be good at the same time, during a rotation. Times are judged here, at the edge, and nowhere else: what
is read again from a file or from Kafka is as old as it is.
"""

import base64
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

from adapters.kit.jwt import token_problem

BODY, TIMESTAMP, METHOD, URI, ID = "{body}", "{timestamp}", "{method}", "{uri}", "{id}"
FORM = "{form}"  # names and values of a form, sorted by name; nothing of a body that is no form
WINDOW_S = 300.0
SIGNATURES_MAX = 8  # in one header; more are an attack on our time
NUMBER = re.compile(r"[0-9]{1,16}", re.ASCII)
UNITS = {"s": 1.0, "ms": 1000.0}


@dataclass(frozen=True, slots=True)
class Scheme:
    """How one vendor signs. Names of headers are in lower case.

    `message` is what is signed, part by part; what is none of the names above stands for itself. `prefix` is
    what stands before each signature; with `separator` a header holds several. `static`: the header holds
    the secret itself, and nothing is signed. `key_prefix`: the secret is base64 behind these letters.
    `timestamp_part`: the time stands in the header itself, behind these letters, as one of its parts.
    `body_hash`: of a body that is no form, its SHA-256 stands under this name in the URI's query. `jwt`: the
    header holds a JSON Web Token (HS256) that names its hash as `payload_hash` (adapters/kit/jwt.py).
    """

    header: str
    message: tuple[str, ...] = (BODY,)
    digest: Literal["sha1", "sha256"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""
    separator: str = ""
    timestamp_header: str = ""
    timestamp_unit: Literal["s", "ms"] = "s"
    id_header: str = ""
    key_prefix: str = ""
    static: bool = False
    timestamp_part: str = ""
    key_encoding: Literal["text", "hex", "base64"] = "text"
    body_hash: str = ""
    jwt: bool = False

    @property
    def has_address(self) -> bool:
        """Is the address that was posted to part of what is signed?"""
        return URI in self.message or bool(self.body_hash)


@dataclass(frozen=True, slots=True)
class Signed:
    """A request as it came in: what may be part of a signed message. Names of headers are in lower case."""

    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"
    uri: str = ""


def raw(text: str) -> bytes:
    """The bytes of a header, whatever they are."""
    return text.encode("utf-8", "surrogateescape")


def timestamp_of(scheme: Scheme, request: Signed) -> str | None:
    """The time that was signed, as it was sent."""
    if not scheme.timestamp_part:
        return request.headers.get(scheme.timestamp_header)
    parts = request.headers.get(scheme.header, "").split(scheme.separator or ",")
    return next(
        (each[len(scheme.timestamp_part) :] for each in parts if each.startswith(scheme.timestamp_part)), None
    )


def time_problem(scheme: Scheme, request: Signed, now: float) -> str:
    """What is wrong with the time that was signed; "" for nothing."""
    if not (scheme.timestamp_header or scheme.timestamp_part):
        return ""
    text = timestamp_of(scheme, request)
    if text is None:
        return "no_timestamp"
    if not NUMBER.fullmatch(text):
        return "bad_timestamp"
    away_s = abs(now - int(text) / UNITS[scheme.timestamp_unit])
    return "old_timestamp" if away_s > WINDOW_S else ""


def is_form(request: Signed) -> bool:
    """Is the body one of an HTML form?"""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/x-www-form-urlencoded"


def form_of(request: Signed) -> bytes:
    """Names and values of a form, one after the other, sorted by name and value."""
    if not is_form(request):
        return b""
    pairs = parse_qsl(request.body, keep_blank_values=True)
    return b"".join(name + value for name, value in sorted(pairs))


def hash_problem(scheme: Scheme, request: Signed) -> str:
    """What is wrong with the hash of a body that is not signed itself; "" for nothing."""
    if not scheme.body_hash or is_form(request):
        return ""
    query = parse_qsl(raw(urlsplit(request.uri).query))
    given_hash = dict(query).get(scheme.body_hash.encode(), b"").lower()
    made = sha256(request.body).hexdigest().encode()
    return "" if hmac.compare_digest(given_hash, made) else "wrong_signature"


def message_of(scheme: Scheme, request: Signed) -> bytes:
    """The bytes that were signed."""
    parts = {
        BODY: request.body,
        TIMESTAMP: raw(timestamp_of(scheme, request) or ""),
        METHOD: raw(request.method),
        URI: raw(request.uri),
        ID: raw(request.headers.get(scheme.id_header, "")),
        FORM: form_of(request),
    }
    return b"".join(parts.get(part, part.encode()) for part in scheme.message)


def key_of(scheme: Scheme, secret: bytes) -> bytes:
    """The key that a secret stands for; one that is not written as it should be is taken as it is."""
    if scheme.key_encoding == "text" and not scheme.key_prefix:
        return secret
    try:
        if scheme.key_encoding == "hex":
            return bytes.fromhex(secret.decode("ascii")) or secret
        return base64.b64decode(secret.removeprefix(scheme.key_prefix.encode()), validate=True) or secret
    except ValueError:
        return secret


def expected(scheme: Scheme, request: Signed, secret: bytes) -> bytes:
    """What a header must hold, without its prefix."""
    if scheme.static:
        return secret
    made = hmac.digest(key_of(scheme, secret), message_of(scheme, request), scheme.digest)
    return made.hex().encode() if scheme.encoding == "hex" else base64.b64encode(made)


def given(scheme: Scheme, header: str) -> list[bytes]:
    """The signatures in a header, without their prefixes; one with another prefix is of another version."""
    parts = header.split(scheme.separator) if scheme.separator else [header.strip()]
    found = [part[len(scheme.prefix) :] for part in parts if part.startswith(scheme.prefix)]
    if scheme.encoding == "hex" and not scheme.static:
        found = [part.lower() for part in found]
    return [raw(part) for part in found[:SIGNATURES_MAX]]


def problem(scheme: Scheme, request: Signed, secrets: Sequence[bytes], now: float) -> str:
    """Why a request is not believed, as a stable code; "" where one of the secrets has signed it.

    Every signature is compared with every secret, in constant time. `now` is UTC seconds.
    """
    header = request.headers.get(scheme.header)
    if header is None:
        return "no_signature"
    if scheme.jwt:
        return token_problem(header, request.body, secrets, now, WINDOW_S)
    wrong = time_problem(scheme, request, now) or hash_problem(scheme, request)
    if wrong:
        return wrong
    wanted = [expected(scheme, request, secret) for secret in secrets]
    matches = [hmac.compare_digest(one, other) for one in given(scheme, header) for other in wanted]
    return "" if any(matches) else "wrong_signature"
