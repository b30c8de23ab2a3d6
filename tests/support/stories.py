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
# Written, the first replies of every length that is counted apart.
WRITTEN = {
    f"replied-{seconds}": f"s, q@0, a@{seconds}, res@{seconds + 60}"
    for seconds in (30, 45, 100, 200, 700, 1_700, 3_000, 9_000, 20_000, 50_000)
}


def told_contacts() -> dict[str, list[ContactEvent]]:
    """The events of each contact, by its id."""
    told = {name: read_events(text, contact_id=name) for name, text in STORIES.items()}
    told["forgotten"] = read_events("s@-3456000, q@-3456000", "email", "forgotten")
    return told | {name: read_events(text, "email", name) for name, text in WRITTEN.items()}
