"""What may be said of a text that nobody understands: its length and its form, never what it says.

A line that is no event may name a person anywhere in it, in any spelling, so no search for identifiers helps.
In a shape every letter is `a` or `A`, every digit `9`, every byte beyond ASCII `?` and every control
character `.`; only spaces and punctuation stay, which is where a broken line is usually broken.
"""

SHAPE_MAX_BYTES = 300  # of the text; two hundred thousand such lines are 100 MB
QUOTED_MAX_CHARS = 40
PREFIX = b"shape of "


def _mark(byte: int) -> int:
    """What stands for a byte."""
    character = chr(byte)
    if byte >= 0x80:
        return ord("?")
    if character.isdigit():
        return ord("9")
    if character.isalpha():
        return ord("A" if character.isupper() else "a")
    return byte if character.isprintable() else ord(".")


MARKS = bytes(_mark(byte) for byte in range(256))


def shape(payload: bytes, item: str = "") -> bytes:
    """The length of a payload and the form of its beginning, as ASCII text; of several, `item` is which."""
    named = f"item {item}, ".encode() if item else b""
    return b"%s%s%d bytes: %s" % (PREFIX, named, len(payload), payload[:SHAPE_MAX_BYTES].translate(MARKS))


def is_shape(payload: bytes) -> bool:
    """Is it one, in place of a payload that was not kept?"""
    said, found, form = payload.removeprefix(PREFIX).partition(b" bytes: ")
    size = said.rpartition(b", ")[2]
    return payload.startswith(PREFIX) and size.isdigit() and bool(found) and form.translate(MARKS) == form


def quoted(text: str) -> str:
    """The form of a value, for a message that says what is wrong with it."""
    beginning = text[:QUOTED_MAX_CHARS].encode("utf-8", "replace").translate(MARKS).decode("ascii")
    return f"{beginning!r}{'...' if len(text) > QUOTED_MAX_CHARS else ''}"
