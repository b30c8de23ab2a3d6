"""How far above RINGBACK_METRICS_PORT each part shows its metrics."""

# So far above a worker's port that all workers of `ringback up` have room between, and no two parts meet.
SINK_PORT_OFFSET = 16
GATEWAY_PORT_OFFSET = 32
VERIFY_PORT_OFFSET = 48
WALLBOARD_PORT_OFFSET = 64
ALERTS_PORT_OFFSET = 80
PORT_OFFSETS = (
    SINK_PORT_OFFSET,
    GATEWAY_PORT_OFFSET,
    VERIFY_PORT_OFFSET,
    WALLBOARD_PORT_OFFSET,
    ALERTS_PORT_OFFSET,
)
