"""Settings as the worker and the sink take them."""

from cli.settings import Settings, rules_of
from streams.config import StreamConfig


def stream_config(settings: Settings) -> StreamConfig:
    """What the worker needs of the settings."""
    return StreamConfig(
        bootstrap_servers=settings.bootstrap_servers,
        partitions=settings.partitions,
        replication=settings.replication,
        partitioner=settings.partitioner,
        epoch=settings.epoch,
        state_dir=settings.data_dir / "state",
        state_store=settings.state_store,
        rules=rules_of(settings),
        dead_letter_max_share=settings.dead_letter_max_share,
    )
