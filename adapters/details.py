"""Which sources tell what in events beyond their types: a kind of survey, an entry by the IVR, a call back.

By what their readers make of it; the samples show no more than this (tests/contract). JSON Lines (`events`)
tell everything, so they are not listed.
"""

QUESTIONS = ("typeform", "surveymonkey", "qualtrics", "asknicely", "formbricks")  # kinds by settings
KINDS = ("asterisk", "amazon_connect", "delighted", *QUESTIONS, "satismeter")
Detail = tuple[str, str, str]  # type of event, field, value; without a value any but none

TOLD_BY: dict[Detail, tuple[str, ...]] = {
    ("contact_rejected", "cause", "closed"): ("asterisk",),
    ("contact_rejected", "cause", "full"): ("asterisk",),
    ("contact_rejected", "cause", "empty"): ("asterisk",),
    ("contact_rejected", "cause", "blocked"): (),
    ("contact_transferred", "kind", "callback"): ("asterisk", "amazon_connect"),
    ("contact_started", "callback_of", ""): ("asterisk", "amazon_connect"),
    ("contact_offered", "outcome", "missed"): (
        "asterisk", "asterisk_ami", "freeswitch", "call_records", "amazon_connect", "genesys",
        "twilio_taskrouter",
    ),
    ("contact_offered", "outcome", "refused"): (
        "asterisk", "freeswitch", "amazon_connect", "twilio_taskrouter",
    ),
    ("contact_offered", "outcome", "timed_out"): ("twilio_taskrouter",),
    ("contact_offered", "outcome", "withdrawn"): ("asterisk", "freeswitch", "twilio_taskrouter"),
    ("contact_started", "entry", "ivr"): ("bank", "amazon_connect"),
    ("contact_started", "entry", "bot"): ("chatwoot",),
    ("contact_started", "customer_key", ""): (
        "bank", "servicenow", "asterisk", "asterisk_ami", "freeswitch", "call_records", "libredesk",
        "chatwoot", "zammad", "zendesk", "amazon_connect", "genesys", "twilio_taskrouter", "intercom",
        "cxone", "freshdesk", "front", "ringcentral", "rocketchat", "tawk", "vonage", "whatsapp", "zoom",
    ),
    ("contact_surveyed", "kind", "csat"): (*KINDS, "libredesk", "chatwoot", "zendesk", "intercom"),
    ("contact_surveyed", "kind", "nps"): KINDS,
    ("contact_surveyed", "kind", "ces"): KINDS,
    ("contact_surveyed", "kind", "fcr"): ("asterisk", "amazon_connect", *QUESTIONS),
    ("contact_surveyed", "respondent", "agent"): (),
}  # fmt: skip

# On which channels the contacts of a source are, where not on any: nobody mails a telephone exchange.
CHANNELS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("bank", "asterisk", "asterisk_ami", "freeswitch", "call_records"), ("voice",)),
    **dict.fromkeys(("ringcentral", "vonage"), ("voice",)),
    "libredesk": ("chat", "email", "messaging"),
    "zammad": ("email", "messaging"),
    "tawk": ("chat", "email"),
    "hubspot": ("email",),
    "rocketchat": ("chat",),
    "servicenow": ("messaging",),
    "whatsapp": ("messaging",),
}
