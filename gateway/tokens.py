"""Bearer tokens of programs that send events."""

import hmac
from collections.abc import Sequence

from gateway.problems import Problem

SCHEME = "bearer "


def check_token(header: str | None, tokens: Sequence[bytes]) -> None:
    """Raise Problem unless the header Authorization carries one of the tokens.

    Every token is compared in constant time, so that nothing is learnt from how long a refusal takes.
    """
    if not tokens:
        return
    if header is None or header[: len(SCHEME)].lower() != SCHEME:
        raise Problem(401, "no_token", "send the header Authorization: Bearer TOKEN")
    given = header[len(SCHEME) :].strip().encode("utf-8", "surrogateescape")
    matches = [hmac.compare_digest(given, token) for token in tokens]
    if not any(matches):
        raise Problem(401, "wrong_token", "the token is none of RINGBACK_GATEWAY_TOKEN")
