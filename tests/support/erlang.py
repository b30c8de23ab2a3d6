"""The queue that textbooks have formulas for."""

from schemas.time_units import SECOND_MS
from simulator.shape import Duration, Handling, QueueShape, Shape, Waiting


def one_queue(per_hour: float, talk_s: float, agents: int, patience_s: float | None = None) -> Shape:
    """The textbook queue of Erlang: Poisson arrivals, exponential service and patience, nothing else."""
    patience = None if patience_s is None else Duration(round(patience_s * SECOND_MS))
    queue = QueueShape(
        "voice",
        "voice",
        per_hour,
        agents,
        Handling(Duration(round(talk_s * SECOND_MS))),
        waiting=Waiting(patience),
    )
    return Shape((queue,))
