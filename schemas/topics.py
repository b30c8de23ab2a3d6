"""Names of the Kafka topics, of the worker's tables behind them, and of the groups that read them."""

CONTACT_EVENTS = "contact-events"
AGENT_EVENTS = "agent-events"
SOURCE_HEARTBEATS = "source-heartbeats"
DEAD_LETTERS = "dead-letters"
# From the contact stage on to the stages that judge by customer and by agent.
CUSTOMER_CONTACTS = "customer-contacts"
AGENT_ACTIVITY = "agent-activity"
CONTACT_FACTS = "contact-facts"
KPI_WINDOWS = "kpi-windows"
FCR_FACTS = "fcr-facts"
FCR_WINDOWS = "fcr-windows"
AGENT_QUARTERS = "agent-quarters"
# By which rules each partition is counted.
RULES_IN_USE = "rules-in-use"
# Who was forgotten, by a digest: no reader ever sees them again (docs/operating/forget.md).
FORGOTTEN = "forgotten-customers"

# Where alert rules stand and what is to be told, where evaluators of several machines share it.
ALERT_LEDGER = "alert-ledger"

APP_ID = "ringback"
CONTACTS_TABLE, WINDOWS_TABLE = "contacts", "windows"
CUSTOMERS_TABLE, FCR_TABLE = "customers", "fcr"
AGENTS_TABLE, QUARTERS_TABLE = "agents", "quarters"


def changelog_of(table: str) -> str:
    """The topic that Faust recovers a table from."""
    return f"{APP_ID}-{table}-changelog"


def table_of(changelog: str) -> str:
    """The table of a changelog."""
    return changelog.removeprefix(f"{APP_ID}-").removesuffix("-changelog")


CONTACTS_CHANGELOG, WINDOWS_CHANGELOG = changelog_of(CONTACTS_TABLE), changelog_of(WINDOWS_TABLE)
CUSTOMERS_CHANGELOG, FCR_CHANGELOG = changelog_of(CUSTOMERS_TABLE), changelog_of(FCR_TABLE)
AGENTS_CHANGELOG, QUARTERS_CHANGELOG = changelog_of(AGENTS_TABLE), changelog_of(QUARTERS_TABLE)

# What the worker reads: first what comes from outside, then what it passes on to itself.
RAW_TOPICS = (CONTACT_EVENTS, AGENT_EVENTS)
PASSED_ON_TOPICS = (CUSTOMER_CONTACTS, AGENT_ACTIVITY)
WORKER_TOPICS = RAW_TOPICS + PASSED_ON_TOPICS
CHANGELOGS = (
    CONTACTS_CHANGELOG,
    WINDOWS_CHANGELOG,
    CUSTOMERS_CHANGELOG,
    FCR_CHANGELOG,
    AGENTS_CHANGELOG,
    QUARTERS_CHANGELOG,
)

# The consumer groups that worker and sink commit their offsets under.
WORKER_GROUP = APP_ID
SINK_GROUP = "ringback-sink"
ALERT_GROUP = "ringback-alerts"
# What the sink reads: raw events, and all that the worker publishes.
SINK_RAW_TOPICS = (CONTACT_EVENTS, AGENT_EVENTS, SOURCE_HEARTBEATS)
SINK_TOPICS = (
    *SINK_RAW_TOPICS,
    CONTACT_FACTS,
    KPI_WINDOWS,
    FCR_FACTS,
    FCR_WINDOWS,
    AGENT_QUARTERS,
    RULES_IN_USE,
    DEAD_LETTERS,
)
