"""What the process and whoever starts it agree on."""

EXIT_UNREACHABLE = 3
MESSAGE_PREFIX = "embedded ClickHouse: "
OWNER, BI = "default", "bi"  # the users
DATABASE = "ringback"
