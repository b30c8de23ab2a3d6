"""What the process and whoever starts it agree on."""

EXIT_UNREACHABLE = 3
MESSAGE_PREFIX = "embedded ClickHouse: "
PASSWORD_VARIABLE = "RINGBACK_EMBEDDED_CLICKHOUSE_PASSWORD"  # noqa: S105 - the name, not the secret
