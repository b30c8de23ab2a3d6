"""The files of the page, read once; they come with the package, and nothing comes from anywhere else."""

import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

# Nothing but our own files, no inline scripts or styles, and nobody may frame us.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".woff2": "font/woff2"}


@dataclass(frozen=True, slots=True)
class Page:
    """A file as it is served."""

    body: bytes
    type: str
    tag: str


def page(body: bytes, name: str) -> Page:
    """A file's content with its type and its tag."""
    suffix = name[name.rfind(".") :]
    kind = TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Page(body, kind, f'"{hashlib.sha256(body).hexdigest()[:24]}"')


def below(folder: Traversable, path: str = "") -> dict[str, Page]:
    """Files of a folder by their path in it."""
    found: dict[str, Page] = {}
    for entry in folder.iterdir():
        name = f"{path}{entry.name}"
        if entry.is_dir():
            found |= below(entry, f"{name}/")
        else:
            found[name] = page(entry.read_bytes(), name)
    return found


@cache
def pages() -> dict[str, Page]:
    """Every file below wallboard/static, by its path."""
    return below(files("wallboard") / "static")
