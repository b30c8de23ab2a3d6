"""The stacks that integration tests run on: local always, containers where Docker is and was asked for."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from support.containers import container_stack, why_not
from support.stack import Stack, local_stack

VARIANTS = [
    pytest.param("local", marks=pytest.mark.stack),
    pytest.param("containers", marks=pytest.mark.containers),
]


def start(variant: str, folder: Path) -> AbstractContextManager[Stack]:
    """The stack of that name, or a skip that says why there is none."""
    if variant == "local":
        return local_stack(folder)
    reason = why_not()
    if reason:
        pytest.skip(reason)
    return container_stack(folder)


@pytest.fixture(scope="module", params=VARIANTS)
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A Kafka and a ClickHouse for all tests of a module: topics and tables are shared by them."""
    with start(request.param, tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture(params=VARIANTS)
def fresh_stack(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stack]:
    """A Kafka and a ClickHouse of the test's own, empty; about four seconds."""
    with start(request.param, tmp_path / "stack") as running:
        yield running
