"""Limits that count from a date on, in SQL: which of them hold at a moment, and the target by them.

Parameters hold all limits in the order of their dates, each of them whole. The first are those of before
any date.
"""

FROM = "{limits_from_ms:Array(Int64)}"


def limits(at_ms: str) -> str:
    """Number, from 1, of the limits that hold at a moment; where there are no others, a constant."""
    return f"if(length({FROM}) = 1, 1, arrayCount(since -> since <= {at_ms}, {FROM}))"


def target(queue: str) -> str:
    """Service-level threshold T in ms of a queue and the column `channel`, by the column `limits`."""
    queues, channels = "{t_queues:Array(Array(String))}[limits]", "{t_channels:Array(Array(String))}[limits]"
    of_queue = f"{{t_queue_ms:Array(Array(Int64))}}[limits][indexOf({queues}, {queue})]"
    of_channel = f"{{t_channel_ms:Array(Array(Int64))}}[limits][indexOf({channels}, channel)]"
    default = "{t_default_ms:Array(Int64)}[limits]"
    return f"if(has({queues}, {queue}), {of_queue}, if(has({channels}, channel), {of_channel}, {default}))"
