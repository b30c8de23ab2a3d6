"""Customer identifiers become keyed hashes before anything is sent: Kafka and ClickHouse never see them.

The hash is HMAC-SHA256 under a secret of the deployment, its first 16 bytes in hex. Without the secret nobody
can try out all telephone numbers; with the same secret the same customer has the same key in every source and
every import, which is what first contact resolution needs. A new secret makes everybody a new customer.
"""

import hmac
import re
import unicodedata
from collections.abc import Iterable
from typing import Self

KEY_BYTES = 16
# No second loop inside: a million digits and a letter behind them are looked at once.
NUMBER = re.compile(r"\+?[\d\s()./-]+")
# Fewer digits are an account number, where 12-3 is another one than 1-23, unless it is written as telephone
# numbers alone are. The shortest numbers that are dialled across a country have 7 digits.
PHONE_MIN_DIGITS = 7
WRITTEN_AS_PHONE = re.compile(r"[+(]")
SEPARATED = re.compile(r"[./-]")
DASHES = re.compile("[\u2010-\u2015\u2043\u207b\u208b\u2212\ufe58\ufe63\uff0d]")
# What telephone systems and forms write for a caller they do not know: it must never match another one.
UNKNOWN = frozenset(
    [
        "anonymous",
        "anonym",
        "anonymous.invalid",
        "unknown",
        "unknown-caller",
        "private",
        "private-number",
        "restricted",
        "unavailable",
        "not-available",
        "withheld",
        "number-withheld",
        "no-number",
        "no-caller-id",
        "blocked",
        "hidden",
        "none",
        "null",
        "nil",
        "undefined",
        "na",
        "n/a",
        "n.a",
        "not-set",
        "not-provided",
        "not-applicable",
        "nobody",
        "unbekannt",
        "unterdrückt",
        "keine-nummer",
        "inconnu",
        "masqué",
        "desconocido",
        "sconosciuto",
    ]
)
# Local parts of addresses that name nobody, whatever the domain, and domains that nobody can own (RFC 2606).
UNKNOWN_LOCAL = frozenset(("anonymous", "unknown", "unavailable", "restricted", "undefined"))
UNKNOWN_DOMAIN = re.compile(r"(^|\.)(invalid|localhost)$|^example$")


# Letters and marks that show nothing.
INVISIBLE = re.compile("[\u034f\u115f\u1160\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0]")


class CustomerSecret(bytes):
    """The key of the hash, and what else names nobody in the systems of this deployment."""

    unknown: frozenset[str]

    def __new__(cls, secret: bytes, unknown: Iterable[str] = ()) -> Self:
        """The key with these further names of nobody."""
        made = super().__new__(cls, secret)
        made.unknown = frozenset(filter(None, map(normalise, unknown)))
        return made


def plain(identifier: str) -> str:
    """Compatibility forms unified, digits of every script as 0 to 9, dashes as one, nothing invisible."""
    text = unicodedata.normalize("NFKC", identifier)
    if text.isascii() and text.isprintable():
        return text.strip()
    text = DASHES.sub("-", text)
    kept = []
    for character in text:
        kind = unicodedata.category(character)
        if kind == "Nd":
            kept.append(str(unicodedata.decimal(character)))
        elif kind[0] == "Z" or character in "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85":
            kept.append(" ")
        elif kind not in ("Cf", "Cc") and not INVISIBLE.match(character):
            kept.append(character)
    return "".join(kept).strip()


def is_phone(text: str, digits: str) -> bool:
    """Does a text of digits and separators look like a telephone number, and not like an account's?"""
    return (
        bool(WRITTEN_AS_PHONE.search(text)) or len(digits) >= PHONE_MIN_DIGITS or not SEPARATED.search(text)
    )


def names_nobody(text: str) -> bool:
    """Is it what is written for somebody unknown? Letter case, spaces, dashes and brackets do not matter."""
    word = re.sub(r"[\s_-]+", "-", text.strip(" <>()[]\"'*.")).strip("-")
    if word in UNKNOWN or all(unicodedata.category(c)[0] in "PZ" or c in "+<=>^`|~$" for c in word):
        return True
    local, at, domain = text.removeprefix("sip:").removeprefix("mailto:").strip("<>").rpartition("@")
    return bool(at) and (local in UNKNOWN_LOCAL or bool(UNKNOWN_DOMAIN.search(domain)))


def normalise(identifier: str) -> str:
    """One spelling per customer; "" where the identifier names nobody.

    Compatibility forms (full-width digits), digits of other scripts and dashes are unified, what cannot be
    seen is dropped, then:
    - a telephone number keeps its digits only: "+49 (30) 1234-5" and "4930 12345" are the same caller.
      Country prefixes are not guessed: "030 12345" is another one than "+49 30 12345";
    - a short number with separators is an account's and keeps them: "12-3" is another one than "1-23";
    - everything else (e-mail addresses, names of accounts) is lower-cased. Dots and "+tags" of e-mail
      addresses stay, since most servers tell them apart.
    """
    text = plain(identifier)
    digits = "".join(filter(str.isdigit, text)) if NUMBER.fullmatch(text) else ""
    if digits:
        if not digits.strip("0"):
            return ""
        return digits if is_phone(text, digits) else re.sub(r"\s+", "", text)
    text = text.casefold()
    return "" if names_nobody(text) else text


def customer_key(identifier: str, secret: bytes) -> str | None:
    """Key of a customer (32 hex digits), None where the identifier names nobody. The secret is not empty."""
    if not secret:
        raise ValueError("the secret of the customer keys is empty")
    text = normalise(identifier)
    if not text or (isinstance(secret, CustomerSecret) and text in secret.unknown):
        return None
    return hmac.digest(secret, text.encode("utf-8", "surrogatepass"), "sha256")[:KEY_BYTES].hex()
