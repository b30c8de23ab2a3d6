"""Which wire format: Confluent's where a schema registry is configured, else single-object encoding."""

from dataclasses import dataclass
from functools import partial

from adapters.sending.records import Encode
from adapters.sending.schema_registry import SchemaRegistry
from cli.settings import Settings
from schemas.codec import encode
from schemas.confluent import encode_confluent
from schemas.events import Event
from schemas.forgotten import NOBODY, Ledger
from streams.kafka.decoding import Wire, decode_either, decode_single_object


def wire(settings: Settings) -> Wire:
    """Reads both formats with a registry, single-object encoding without."""
    if not settings.schema_registry_url:
        return Wire(decode_single_object)
    registry = SchemaRegistry(settings.schema_registry_url, settings.schema_registry_ca_file)
    return Wire(decode_either(registry), registry)


def encoder(settings: Settings) -> Encode:
    """Writes Confluent wire format with a registry, single-object encoding without."""
    if not settings.schema_registry_url:
        return encode
    return partial(
        encode_confluent, ids=SchemaRegistry(settings.schema_registry_url, settings.schema_registry_ca_file)
    )


@dataclass
class ForgettingEncoder:
    """Writes events on which nobody is named who was forgotten; the ledger may change meanwhile."""

    encode_event: Encode
    ledger: Ledger = NOBODY

    def __call__(self, event: Event) -> bytes:
        """Bytes of an event."""
        return self.encode_event(self.ledger.applied(event))
