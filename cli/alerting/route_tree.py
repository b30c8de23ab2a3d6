"""The route tree for people, and who hears of an alert with some labels."""

from rich.text import Text
from rich.tree import Tree

from alerts.matchers import ALERT, ALERTNAME
from alerts.receivers import Receivers
from alerts.route import EACH, Route
from alerts.routing import Step, Way, below, ways
from cli.printable import printable


def tree_of(route: Route) -> Tree:
    """All routes: whom each is for, what it takes, and how it groups where that is not as above it."""
    at = below(route, Step(""))
    tree = Tree(line(route, at, None))
    grow(tree, route, at)
    return tree


def grow(tree: Tree, route: Route, at: Step) -> None:
    """The routes below one."""
    for index, child in enumerate(route.routes):
        own = below(child, at, index)
        grow(tree.add(line(child, own, at)), child, own)


def line(route: Route, at: Step, above: Step | None) -> Text:
    """One route: receiver, matchers, and what it says of its own."""
    taken = ", ".join(printable(str(matcher)) for matcher in route.matchers) or "all"
    parts = [f"{at.receiver}: {taken}"]
    if above is None or at.group_by != above.group_by:
        parts.append("each alone" if at.group_by == (EACH,) else f"by {', '.join(at.group_by) or 'nothing'}")
    for name in ("group_wait", "group_interval", "repeat_interval"):
        if above is None or getattr(at, name) != getattr(above, name):
            parts.append(f"{name} {length(getattr(at, name))}")
    parts += [f"muted in {', '.join(at.muted_in)}"] * bool(at.muted_in)
    parts += [f"told in {', '.join(at.active_in)}"] * bool(at.active_in)
    return Text("; ".join(parts + ["and goes on"] * route.continue_))


def length(ms: int) -> str:
    """A duration as it is written in the file."""
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1_000)):
        if ms and not ms % size:
            return f"{ms // size}{unit}"
    return f"{ms}ms"


def labels_in(text: str) -> dict[str, str]:
    """Labels such as severity=page,queue=sales. Raises ValueError with how they are written."""
    pairs = [part.partition("=") for part in text.split(",")]
    if any(not name.strip() or not sign for name, sign, _ in pairs):
        raise ValueError("write labels as name=value, with commas between them: severity=page,queue=sales")
    return {name.strip(): value.strip() for name, _, value in pairs}


def hears(told: Receivers, labels: dict[str, str]) -> list[str]:
    """Who hears of an alert with these labels, a line for each; `alert` is the name of its rule."""
    alert = labels.get(ALERT, labels.get(ALERTNAME, ""))
    body = {"alert": alert, "labels": labels}
    return [way_line(way) for way in ways(told.receivers, told.route, body)]


def way_line(way: Way) -> str:
    """A receiver, and how it is told."""
    if way.group_by is None:
        return f"{way.receiver.name}: alone"
    return f"{way.receiver.name}: grouped by {', '.join(way.group_by) or 'nothing'}"
