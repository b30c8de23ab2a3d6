"""What makes no sense in a route tree, or rarely does, with what to write instead."""

from collections.abc import Iterator, Mapping

from alerts.receivers import Receivers, Whom
from alerts.route import Route, Where

OF_ROUTES = ("group_by", "group_wait", "group_interval", "repeat_interval")
TIMES_OF_ROUTES = ("mute_time_intervals", "active_time_intervals")


def misrouted(file: Receivers) -> Iterator[tuple[Where, str]]:
    """Where routes lead nowhere, and what a receiver may not say beside them."""
    times = [each.name for each in file.time_intervals]
    for index, name in enumerate(times):
        if name in times[:index]:
            yield ("time_intervals", index, "name"), f"{name} is there twice; give one of them another name"
    if file.route is None:
        return
    names = [receiver.name for receiver in file.receivers]
    there = f"there are {', '.join(names) or 'none'}"
    for where, route in file.route.all():
        if route.receiver not in (None, *names):
            yield (*where, "receiver"), f"there is no receiver {route.receiver}; {there}"
        for word in TIMES_OF_ROUTES:
            for index, name in enumerate(getattr(route, word)):
                if name not in times:
                    said = f"there are no times {name}; time_intervals has {', '.join(times) or 'none'}"
                    yield (*where, word, index), said
    if file.route.receiver is None:
        yield ("route",), "the first route needs a receiver, who hears of what no other route takes"
    if file.route.matchers:
        yield ("route", "matchers"), "the first route takes every alert: write matchers in routes below it"
    for word in TIMES_OF_ROUTES:
        if getattr(file.route, word):
            yield ("route", word), f"the first route always tells: write {word} in routes below it"
    if file.route.continue_:
        yield ("route", "continue"), "the first route has no brothers to go on with: leave it out"
    for index, receiver in enumerate(file.receivers):
        where = ("receivers", index)
        if receiver.only:
            yield (*where, "only"), f"only and route do not go together: write {as_route(receiver)} in route"
        for name in OF_ROUTES:
            if name in receiver.model_fields_set:
                yield (*where, name), f"write {name} in route: it says how alerts are grouped"


def as_route(receiver: Whom) -> str:
    """What a receiver wants, as a route."""
    found = []
    for name, values in receiver.only.items():
        op, text = ("=", values[0]) if len(values) == 1 else ("=~", "|".join(values))
        found.append(f"""'{name}{op}"{text}"'""")
    return f"routes: [{{matchers: [{', '.join(found)}], receiver: {receiver.name}}}]"


def doubtful_routes(file: Receivers, labels: Mapping[str, set[str]]) -> Iterator[str]:
    """Receivers that nothing leads to, routes that are never reached, and values that no rule has."""
    if file.route is None:
        return
    routes = [route for _, route in file.route.all()]
    used = {route.receiver for route in routes} | {receiver.fallback for receiver in file.receivers}
    used |= {file.meta, file.self_test.receiver if file.self_test else None}
    for receiver in file.receivers:
        if receiver.name not in used:
            yield f"no route leads to {receiver.name}"
    for route in routes:
        yield from unreached(route)
        for matcher in route.matchers:
            values = labels.get(matcher.name)
            if values and not any(matcher.matches({matcher.name: value}) for value in values):
                there = ", ".join(sorted(values))
                yield f"a route wants {matcher}, which no rule has; there are {there}"


def unreached(route: Route) -> Iterator[str]:
    """Routes after one that takes everything there and does not go on."""
    for index, child in enumerate(route.routes[:-1]):
        if not child.matchers and not child.continue_:
            number = len(route.routes) - index - 1
            to = f" to {child.receiver}" if child.receiver else ""
            said = f"the route{to} without matchers takes all, so that {number} after it are never reached"
            yield f"{said}: write it last, or continue: true"
            return
