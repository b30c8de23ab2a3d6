"""What the stream needs to know, filled by the command line from the settings; and what its rooms share."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from kpis.rules import DEFAULT_RULES, Rules

# How long a broker may hold a fetch for which it has nothing. aiokafka has one fetch under way per broker and
# leaves partitions out whose records still wait here: what is held asks for quiet partitions only, and busy
# ones wait behind it. Faust says 1,500, and at 2,000 events/s one event in 20 took 1.6 s.
FETCH_WAIT_MS = 100
# The broker waits as long for so much, instead of answering with the first record: in live traffic what a
# batch costs is its writes and acknowledgements, and not its events.
FETCH_MIN_BYTES = 256 * 1024
# How long a partition of what stages pass on to each other rests after the begin of a batch: repeat contacts
# and agents' quarter-hours are not what a wall shows from second to second.
PASSED_ON_REST_S = 0.4
# Where contacts must be: where the Java client puts them, or wherever a contact's first event was ("any").
Partitioner = Literal["murmur2", "any"]


@dataclass(frozen=True, slots=True)
class StreamConfig:
    """Configuration of a worker. `epoch` is raised by a rebuild, so that its rows beat the older ones."""

    bootstrap_servers: str = "127.0.0.1:9092"
    partitions: int = 4
    replication: int = 1
    partitioner: Partitioner = "murmur2"
    epoch: int = 0
    state_dir: Path = Path("ringback-data/state")
    state_store: Literal["memory", "rocksdict"] = "memory"
    cluster: str = ""  # Kafka's id of the cluster, whose changelogs are copied on disk
    rules: Rules = field(default_factory=lambda: DEFAULT_RULES)
    # Records of one partition that are applied, written and acknowledged together. While they are applied
    # the event loop does not answer: 0.3 s at most with 2,000, 1.0 s with 17,000, which is no faster either.
    batch_max_records: int = 2_000
    # Of the last `dead_letter_window` records at most this share may be dead letters.
    dead_letter_window: int = 5_000
    dead_letter_max_share: float = 0.5
