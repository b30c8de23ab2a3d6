"""What an administrator can say about his Asterisk that the log does not."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from adapters.kit.options import options

HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Options:
    """`aliases`: other spellings of agents, extensions and interfaces to the name that CONNECT has.

    A caller whose number is an alias is that agent: an inquiry, not a customer. `acw_reasons`: reasons of a
    pause that mean after-contact work. `reasons`: other reasons to the state they mean; else it is a break.
    """

    aliases: Mapping[str, str] = field(default_factory=lambda: options().agent_aliases)
    acw_reasons: frozenset[str] = frozenset(("acw", "wrapup", "wrap-up", "after call work"))
    reasons: dict[str, str] = field(
        default_factory=lambda: {"training": "training", "coaching": "training", "meeting": "meeting"}
    )
    forget_open_ms: int = 24 * HOUR_MS
    forget_ended_ms: int = 2 * HOUR_MS

    def name(self, member: str) -> str:
        """The agent's one name."""
        return self.aliases.get(member, member)
