"""Contacts that belong together in a way that chance brings about too seldom."""

from support.notation import read_events

from schemas.events import ContactEvent

STORIES = {
    # A call back that nobody took, and one that was.
    "asked": "s, q@0, t[callback]@40",
    "missed": "s[outbound]@340{callback_of=asked}, ab[ring]@370",
    "reached": "s[outbound]@940{callback_of=asked}, a@950, res@1200",
    # After-contact work two days on, when the tests look at the moment.
    "wrapping": "s@172700, q@172700, a@172710, res@172790, w@172900",
    "quick": "s, q@0, ab[queue]@3",
}


def told_contacts() -> dict[str, list[ContactEvent]]:
    """The events of each contact, by its id."""
    return {name: read_events(text, contact_id=name) for name, text in STORIES.items()}
