"""What the Anonymous Bank's call log is; constants alone."""

from adapters.kit.source import Source

ENTRY = Source(
    name="bank",
    title='The call log "Anonymous Bank" of the Technion',
    reads="file",
    summary='The Technion "Anonymous Bank" call log (tab separated, one call a row).',
    example="ringback import bank february.txt.gz",
    layout="17 columns separated by tabs under a header, one call a row; local times of Asia/Jerusalem",
    reader="adapters.bank.file:read_bank",
    customers="adapters.bank.calls:customers_of",
    gives=("contact_started", "contact_queued", "contact_answered", "contact_abandoned", "contact_resolved"),
    lacks=(
        "Hold times, call-backs and containment are null; transfers, hold rate, after-contact work and "
        "reopenings are 0 without meaning, and handle time is the conversation alone.",
        "No call is known to be resolved or not: first contact resolution rests on repeats, and leaves out "
        "the calls that name no customer.",
        "No surveys and no agent states: CSAT, NPS, CES, AES, occupancy and utilisation are null.",
    ),
    header_lines=1,
    apart=True,
)
