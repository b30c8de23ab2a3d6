"""Bodies that are no file of payloads: a repeated delivery, and what templates make of a subject."""

import json
from pathlib import Path

import pytest
from support.samples import SECRET

from adapters.kit.outcomes import InvalidInput
from adapters.kit.payloads import told
from adapters.registry import source_of

BODIES = Path(__file__).parents[1] / "data" / "bodies"


def test_a_repeated_delivery_may_carry_a_newer_ticket() -> None:
    """Under the same delivery id: both are facts, and the second one closes the ticket."""
    attempts = json.loads((BODIES / "zammad-02.json").read_bytes())
    adapter = source_of("zammad").load_adapter()
    first, second = ({e.type for e in told(adapter, attempts[name]["body"], SECRET)} for name in attempts)
    assert "contact_resolved" not in first
    assert "contact_resolved" in second


@pytest.mark.parametrize(
    ("source", "name"), [("zammad", "zammad-04.log"), ("zendesk", "zendesk-trigger-01.log")]
)
def test_what_a_template_breaks_is_refused_and_never_guessed(source: str, name: str) -> None:
    with pytest.raises(InvalidInput, match=r"invalid_json: .*line 1 column") as refused:
        source_of(source).load_adapter().parse((BODIES / name).read_bytes())
    assert refused.value.reason == "invalid_json"
