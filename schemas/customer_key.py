"""Customer identifiers become keyed hashes before anything is sent: Kafka and ClickHouse never see them.

The hash is HMAC-SHA256 under a secret of the deployment, its first 16 bytes in hex. Without the secret nobody
can try out all telephone numbers; with the same secret the same customer has the same key in every source and
every import, which is what first contact resolution needs. A new secret makes everybody a new customer.
"""

import hmac
import re
import unicodedata

KEY_BYTES = 16
PHONE = re.compile(r"\+?[\d\s()./-]*\d[\d\s()./-]*")
# What telephone systems and forms write for a caller they do not know: it must never match another one.
UNKNOWN = frozenset(
    (
        "",
        "0",
        "-",
        "anonymous",
        "unknown",
        "private",
        "restricted",
        "unavailable",
        "withheld",
        "none",
        "null",
        "n/a",
    )
)


def normalise(identifier: str) -> str:
    """One spelling per customer; "" where the identifier names nobody.

    Compatibility forms (full-width digits) are unified and space around is dropped, then:
    - a telephone or account number keeps its digits only: "+49 (30) 1234-5" and "4930 12345" are the same
      caller. Country prefixes are not guessed: "030 12345" is another one than "+49 30 12345";
    - everything else (e-mail addresses, names of accounts) is lower-cased. Dots and "+tags" of e-mail
      addresses stay, since most servers tell them apart.
    """
    text = unicodedata.normalize("NFKC", identifier).strip()
    if PHONE.fullmatch(text):
        text = "".join(character for character in text if character.isdigit())
        return text if text.strip("0") else ""
    text = text.casefold()
    return "" if text in UNKNOWN else text


def customer_key(identifier: str, secret: bytes) -> str | None:
    """Key of a customer (32 hex digits), None where the identifier names nobody. The secret is not empty."""
    if not secret:
        raise ValueError("the secret of the customer keys is empty")
    text = normalise(identifier)
    if not text:
        return None
    return hmac.digest(secret, text.encode("utf-8", "surrogatepass"), "sha256")[:KEY_BYTES].hex()
