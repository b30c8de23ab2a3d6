"""wallboard.yaml: what it may say, and what is said of mistakes."""

import pytest

from wallboard.config import ConfigError, WallConfig, parse

FILE = """
title: House
targets: {service_level: 0.8, longest_wait_s: 120}
queues:
  - {queue: sales, name: Sales, targets: {service_level: 0.9}}
  - {queue: mail, targets: {longest_wait_s: null}}
hidden: [test]
"""


def test_a_queue_has_its_own_targets_before_those_of_all() -> None:
    config = parse(FILE)
    assert config.targets_of("sales").model_dump(exclude_none=True) == {
        "service_level": 0.9,
        "longest_wait_s": 120,
    }
    assert config.targets_of("mail").model_dump(exclude_none=True) == {"service_level": 0.8}
    assert config.targets_of("other") == config.targets


def test_named_queues_come_first_and_are_there_without_contacts() -> None:
    config = parse(FILE)
    assert config.order({"zeta", "alpha", "mail", "test", ""}) == ["sales", "mail", "alpha", "zeta"]
    assert parse(FILE + "others: false").order({"alpha"}) == ["sales", "mail"]


def test_an_empty_file_is_the_default() -> None:
    assert parse("") == WallConfig()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("queues: [{queue: a}, {queue: a}]", "a stands there twice"),
        ("targets: {service_level: 80}", "targets.service_level"),
        ("queue: [a]", "queue: Extra inputs"),
        ("locale: not a locale", "locale"),
        ("a: [", "no YAML"),
        ("just words", "the file"),
    ],
)
def test_a_mistake_is_named_by_its_place(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        parse(text)
