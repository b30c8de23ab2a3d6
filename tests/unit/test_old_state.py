"""The state on disk that version 0.1 left is read by today's code; see tests/data/README.md."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from support.old_folder import PARTITIONS, unpack_folder

from kpis.rules import DEFAULT_RULES
from streams.config import StreamConfig
from streams.stages.contacts.event_set import unpack
from streams.state.disk import partitions_of
from streams.state.markers import is_marker, marker_key, read_begun, read_done, rules_digest
from streams.state.partition import TablePartitions

pytest.importorskip("rocksdict", reason="state on disk needs the package rocksdict")
# By name and not from streams.topics: these names are on disk and in Kafka. State, then its totals.
TABLES = {"contacts": "windows", "customers": "fcr", "agents": "quarters"}


def cluster_of(folder: Path) -> str:
    """Kafka's id of the cluster, as Kafka keeps it."""
    properties = (folder / "kafka" / "data" / "meta.properties").read_text(encoding="ascii")
    return dict(line.split("=", 1) for line in properties.splitlines() if "=" in line)["cluster.id"]


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, TablePartitions]]:
    """All tables of the folder; none of their databases may be dropped or made when they are opened."""
    folder = unpack_folder(tmp_path_factory.mktemp("old"))
    config = StreamConfig(
        partitions=PARTITIONS,
        state_dir=folder / "state",
        state_store="rocksdict",
        cluster=cluster_of(folder),
    )
    with capture_logs() as logs:
        found = {name: partitions_of(config, name) for pair in TABLES.items() for name in pair}
        following = {
            (name, partition): held.of(partition).following
            for name, held in found.items()
            for partition in range(PARTITIONS)
        }
    assert logs == []
    assert all(following.values()), following
    yield found
    for held in found.values():
        held.close()


@pytest.mark.parametrize("state", TABLES)
def test_markers_are_read(state: str, tables: dict[str, TablePartitions]) -> None:
    """The last batch of each partition has ended, by rules without a cap on events: all is counted anew."""
    for partition in range(PARTITIONS):
        begun = read_begun(tables[state].get(marker_key(partition), partition))
        done = read_done(tables[TABLES[state]].get(marker_key(partition), partition))
        assert begun
        assert done
        assert begun.batch == done.batch
        assert done.applied >= begun.offset > 0
        assert done.rules == "c855c545daea6e14" != rules_digest(DEFAULT_RULES)


def test_event_sets_are_read(tables: dict[str, TablePartitions]) -> None:
    """Every contact with its events; of a corrected one the correction."""
    contacts = {
        key.decode(): unpack(value) for key, value in tables["contacts"].items(None) if not is_marker(key)
    }
    assert len(contacts) == 49
    assert {event.event.contact_id for events in contacts.values() for event in events.values()} == set(
        contacts
    )
    known = contacts["known-1"]
    assert len(known) == 11
    survey = known["known-1-11"].event
    assert survey.type == "contact_surveyed"
    assert (survey.revision, survey.score) == (1, 3)
