"""The table of signatures: how each vendor signs its webhooks. A new one is a row here."""

from adapters.kit.signatures import BODY, FORM, ID, METHOD, TIMESTAMP, URI, Scheme

SCHEMES: dict[str, Scheme] = {
    # A header that an administrator sets: Connect and Genesys by EventBridge, surveys that sign nothing
    "api-key": Scheme("x-api-key", static=True),
    "chatwoot": Scheme(
        "x-chatwoot-signature",
        (TIMESTAMP, ".", BODY),
        prefix="sha256=",
        timestamp_header="x-chatwoot-timestamp",
    ),
    "delighted": Scheme("x-delighted-webhook-signature", prefix="sha256="),
    "front-application": Scheme(
        "x-front-signature",
        (TIMESTAMP, ":", BODY),
        encoding="base64",
        timestamp_header="x-front-request-timestamp",
        timestamp_unit="ms",
    ),
    "front-rule": Scheme("x-front-signature", digest="sha1", encoding="base64"),
    "hub-sha1": Scheme("x-hub-signature", digest="sha1", prefix="sha1="),  # Intercom, Zammad
    "hub-sha256": Scheme("x-hub-signature-256", prefix="sha256="),  # Meta: WhatsApp
    "hubspot": Scheme(
        "x-hubspot-signature-v3",
        (METHOD, URI, BODY, TIMESTAMP),
        encoding="base64",
        timestamp_header="x-hubspot-request-timestamp",
        timestamp_unit="ms",
    ),
    "libredesk": Scheme("x-libredesk-signature", prefix="sha256="),
    "ringcentral": Scheme("verification-token", static=True),
    "rocketchat": Scheme("x-rocketchat-livechat-token", static=True),
    "standard": Scheme(  # Standard Webhooks: Svix, Formbricks
        "webhook-signature",
        (ID, ".", TIMESTAMP, ".", BODY),
        encoding="base64",
        prefix="v1,",
        separator=" ",
        timestamp_header="webhook-timestamp",
        id_header="webhook-id",
        key_prefix="whsec_",
    ),
    "surveymonkey": Scheme("sm-signature", digest="sha1", encoding="base64"),  # key: client id & secret
    "tawk": Scheme("x-tawk-signature", digest="sha1"),
    "twilio": Scheme(
        "x-twilio-signature", (URI, FORM), digest="sha1", encoding="base64", body_hash="bodySHA256"
    ),
    "typeform": Scheme("typeform-signature", encoding="base64", prefix="sha256="),
    "vonage": Scheme("authorization", jwt=True),
    "zendesk": Scheme(
        "x-zendesk-webhook-signature",
        (TIMESTAMP, BODY),
        encoding="base64",
        timestamp_header="x-zendesk-webhook-signature-timestamp",
    ),
    "zoom": Scheme(
        "x-zm-signature",
        ("v0:", TIMESTAMP, ":", BODY),
        prefix="v0=",
        timestamp_header="x-zm-request-timestamp",
    ),
}
