"""Do a partition's state, its markers and the log that it was made of fit together? No I/O in here.

A Kafka that was ended by force, restored from a backup or damaged on disk may have lost the ends of its logs,
or a whole one. What state there is stays a set of events: it is completed by reading the log again, under an
epoch that beats everything published before.
"""

from dataclasses import dataclass

from streams.state.markers import Begun, Done


@dataclass(frozen=True, slots=True)
class Log:
    """Where the topic that a stage reads begins and ends, and how far its group has committed.

    `published` is the greatest epoch of what the stage has told; None where it never told anything.
    """

    begin: int
    end: int
    committed: int
    published: int | None = None


@dataclass(frozen=True, slots=True)
class Fit:
    """Where to go on reading; with `damage` the epoch is raised above `epoch`, and all is told anew.

    `applied` is the offset up to which every event is in the state: with `damage` none, so that whatever is
    read again beats what is told before it. `lost`: the state itself is incomplete.
    """

    go_on: int
    applied: int
    damage: str = ""
    lost: bool = False
    epoch: int = 0


def fit(begun: Begun | None, done: Done | None, log: Log) -> Fit:
    """Compare. A batch writes `begun` with its states, then `done` with its totals, then commits."""
    applied = done.applied if done else -1
    epoch = max(begun.epoch if begun else 0, done.batch[0] if done else 0, log.published or 0)
    if begun is None and (done is not None or log.published is not None):
        return Fit(log.begin, -1, "the changelog of its state is gone", lost=True, epoch=epoch)
    if begun is not None and done is not None and begun.batch < done.batch:
        return Fit(log.begin, -1, "the changelog of its state has lost its end", lost=True, epoch=epoch)
    if max(applied + 1, log.committed) > log.end:
        shorter = f"the log ends at {log.end:,} and was read up to {max(applied + 1, log.committed):,}"
        return Fit(log.begin, -1, shorter, epoch=epoch)
    # Batches in which nothing was new move no marker: they are read again, and change nothing.
    return Fit(min(log.committed, applied + 1) if begun else log.begin, applied, epoch=epoch)
