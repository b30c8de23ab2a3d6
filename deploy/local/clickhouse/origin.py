"""Keep web pages out: a page in a browser can reach loopback, and a browser may know a password.

Three headers that a page cannot forge. Sec-Fetch-Site says who caused the request, of navigations, images and
forms too, which carry no Origin. Origin stands in requests of scripts. Host shows a foreign name that was
pointed at us.
"""

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from deploy.local.clickhouse.errors import ACCESS_DENIED, BAD_ARGUMENTS, refused

LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
# "none" is an address that a person typed or has as a bookmark; reading is all that such a GET can do.
_OWN_SITES = frozenset({"", "none", "same-origin"})


def check_origin(headers: Mapping[str, str], allowed: Collection[str] = LOCAL_NAMES) -> None:
    """Refuse requests a foreign page sent, or that reached us by a foreign name (DNS rebinding).

    Raises QueryError: 403, or 400 where a header cannot be read.
    """
    if headers.get("Sec-Fetch-Site", "").strip().lower() not in _OWN_SITES:
        raise refused(ACCESS_DENIED, "The embedded ClickHouse does not answer web pages.")
    host = headers.get("Host", "")
    if _name(host, "Host") not in allowed:
        raise refused(
            ACCESS_DENIED,
            f"The embedded ClickHouse does not answer to the name in the Host header, only to "
            f"{', '.join(sorted(allowed))}. RINGBACK_CLICKHOUSE_ALLOWED_HOSTS adds names.",
        )
    origin = headers.get("Origin")
    if origin is not None and origin.lower() not in (f"http://{host}".lower(), f"https://{host}".lower()):
        raise refused(ACCESS_DENIED, "The embedded ClickHouse does not answer web pages of other hosts.")


def _name(host: str, header: str) -> str:
    try:
        parts = urlsplit("//" + host)
        _ = parts.port  # raises for what is no port
    except ValueError:
        raise refused(BAD_ARGUMENTS, f"The {header} header cannot be read.", 400) from None
    if parts.username is not None or parts.path or parts.query or parts.fragment:
        raise refused(BAD_ARGUMENTS, f"The {header} header cannot be read.", 400)
    return parts.hostname or ""
