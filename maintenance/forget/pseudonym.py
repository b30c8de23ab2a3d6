"""A pseudonym by chance, under which every number stays what it is."""

import secrets
from collections.abc import Sequence

from schemas.codec import decode, encode
from schemas.events import Event
from streams.stages.forwards import partition_of

TRIES = 10_000
BYTES = 16
Variant = tuple[int, bytes]  # revision and canonical bytes of an event
Variants = Sequence[Variant]  # of one event_id


class NoPseudonym(RuntimeError):
    """None was found under which of several variants of an event the same one counts."""


def renamed(canonical: bytes, customer: str, name: str) -> bytes:
    """The event of another customer, if it is of this one."""
    event: Event = decode(canonical)
    if getattr(event, "customer_key", None) != customer:
        return canonical
    return encode(event.model_copy(update={"customer_key": name}))


def counts(variants: Variants) -> int:
    """Which one counts: that of the greatest (revision, canonical bytes)."""
    return max(range(len(variants)), key=lambda number: variants[number])


def same_count(variants: Variants, customer: str, name: str) -> bool:
    """Does the same variant count under the pseudonym?"""
    then = [(revision, renamed(canonical, customer, name)) for revision, canonical in variants]
    return counts(variants) == counts(then)


def draw(customer: str, partitions: int, disputed: Sequence[Variants]) -> str:
    """A name of nobody, in the customer's partition of the customer stage. Raises NoPseudonym.

    Of the same length as the key, since the length stands before the text in the bytes that decide which
    variant of an event counts. `disputed`: events of the customer that have several variants.
    """
    length = len(customer) if len(customer) >= BYTES else 2 * BYTES
    home = partition_of(customer, partitions)
    for _ in range(TRIES):
        name = secrets.token_hex(length)[:length]
        if partition_of(name, partitions) == home and all(same_count(v, customer, name) for v in disputed):
            return name
    raise NoPseudonym(
        "no name was found under which the same of contradictory events count: the same event_id was sent "
        "for "
        "this customer and for another one. Mend these events (send them with a greater revision), then run "
        "the command again"
    )
