"""What is wrong with a file, in one line a fault: file, line, and what to write instead."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from alerts.fixtures import Expected, InputSeries, Moment, Trial, TrialFile
from alerts.receivers import ELSEWHERE, IN_FILE, RECEIVER_TYPES, Mute, Receivers, Secret, SelfTest, Webhook
from alerts.route import Inhibition, Route
from alerts.rule import Group, Rule, RuleFile
from alerts.time_intervals import NamedTimes, TimeInterval, Times
from alerts.when import TYPES
from alerts.words import Closed

Path_ = tuple[str | int, ...]
TAGS = (
    TYPES | RECEIVER_TYPES | {IN_FILE: Webhook, ELSEWHERE: Secret}
)  # of the unions, which pydantic puts between
ROUTING = (Route, Inhibition, NamedTimes, TimeInterval, Times)
# What a file may have inside, beside what it has by its types.
MODELS: dict[type[Closed], tuple[type[Closed], ...]] = {
    RuleFile: (Rule, Group, RuleFile),
    Receivers: (Webhook, Mute, Secret, SelfTest, *ROUTING, Receivers),
    TrialFile: (Expected, InputSeries, Trial, Moment, TrialFile),
}


def words_of(models: Iterable[type[Closed]]) -> list[str]:
    """What may stand in them."""
    return [field.alias or name for model in models for name, field in model.model_fields.items()]


def innermost(error: ValidationError) -> list[Any]:
    """Faults without those that only follow from others, as a list of wrong rules seems to be empty."""
    found = error.errors(include_url=False)
    places = [item["loc"] for item in found]
    return [
        item
        for item in found
        if not any(place != item["loc"] and place[: len(item["loc"])] == item["loc"] for place in places)
    ]


# Instead of pydantic's words, which are about Python.
SAID = {
    "missing": "is missing",
    "tuple_type": "write a list, such as [a, b], or items that begin with -",
    "dict_type": "write names and values, such as {name: value}",
    "model_type": "write names and values, such as {name: value}",
    "string_type": "write text; numbers and yes or no in quotes",
    "bool_type": "write true or false",
    "bool_parsing": "write true or false",
    "int_type": "write a whole number",
    "int_parsing": "write a whole number",
    "union_tag_not_found": "type is missing",
    "model_attributes_type": "write names and values, such as {name: value}",
}
FROM_ELSEWHERE = {
    "expr": "write kpi and when; a query of your own as when: {type: sql, query: ...}",
    "record": "rules record nothing: `ringback kpi` has every figure",
    "query_offset": "write settle in a rule",
    "webhook_configs": "write type: webhook and url",
    "repeat": "write repeat_interval",
    "source_match": """write source_matchers, such as ['severity="page"']""",
    "target_match": """write target_matchers, such as ['severity="ticket"']""",
    "match": """write matchers, such as ['severity="page"']""",
    "match_re": """write matchers, such as ['queue=~"sales.*"']""",
    "slack_configs": "write type: slack and url",
    "pagerduty_configs": "write type: pagerduty and routing_key",
    "opsgenie_configs": "write type: opsgenie and api_key",
    "email_configs": "write type: email, host, from and to",
    "msteamsv2_configs": "write type: teams and url",
    "global": "there are no defaults: write what is common as a YAML anchor",
    "templates": "there are no templates: annotations of the rules say what is said",
}


def line_at(lines: Mapping[Path_, int], where: Path_) -> int:
    """Line of a part of the file, or of what it would stand in."""
    while where and where not in lines:
        where = where[:-1]
    return lines.get(where, 1)


def faults_of(error: ValidationError, name: str, lines: Mapping[Path_, int], file: type[Closed]) -> list[str]:
    """All faults of a file, by their lines."""
    found = [fault_of(item, lines, file) for item in innermost(error)]
    return [f"{name}:{line}: {text}" for line, text in sorted(found)]


def fault_of(item: Any, lines: Mapping[Path_, int], file: type[Closed]) -> tuple[int, str]:
    """A fault: its line, and what is wrong there."""
    where = tuple(part for part in item["loc"] if part not in TAGS)
    label = ".".join(str(part) for part in where if isinstance(part, str)) or "the file"
    kind, text = item["type"], str(item["msg"]).removeprefix("Value error, ")
    types = ", ".join(TYPES if file is RuleFile else RECEIVER_TYPES)
    if kind == "extra_forbidden":
        text = unknown_word(str(where[-1]), item["loc"], file)
    elif kind == "union_tag_invalid":
        text = f"unknown type; there are {types}"
    elif kind == "string_pattern_mismatch":
        text = next((said for sign, said in PATTERNS.items() if sign in text), text)
    elif kind == "literal_error":
        text = f"write {item['ctx']['expected']}"
    elif kind in ("model_type", "dict_type", "model_attributes_type") and where[-1:] in SECRETS:
        text = "secrets never stand in this file: write {env: NAME} or {file: PATH}"
    elif kind in SAID:
        text = SAID[kind] + (f"; there are {types}" if kind == "union_tag_not_found" else "")
    return line_at(lines, where), f"{label}: {text}"


PATTERNS = {  # what is to be written instead, by a part of the pattern
    "@": "write an address such as alerts@example.org",
    "[01]": "write a time such as 07:30",
    "-]": "write the name of a host, such as smtp.example.org",
    "a-z": "a name has letters, digits and _ alone, and begins with a letter",
    "resolved": "write resolved, expired or firing",
}
SECRETS = {(name,) for name in ("secret", "password", "routing_key", "api_key", "url")}


def unknown_word(word: str, where: Path_, file: type[Closed]) -> str:
    """What to write instead of a word that is not known here."""
    if word in FROM_ELSEWHERE:
        return FROM_ELSEWHERE[word]
    outer, *others = MODELS[file]
    own = next((TAGS[str(part)] for part in where if part in TAGS), outer)
    close = get_close_matches(word, words_of((own, *others)), 1)
    if close == [word]:
        return "it does not stand here"
    return f"unknown word; did you mean {close[0]}?" if close else "unknown word; leave it out"
