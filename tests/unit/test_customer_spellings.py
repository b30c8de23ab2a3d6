"""Which spellings are one customer, which are nobody, and that keys of before stay what they were."""

import time

import pytest

from schemas.customer_key import CustomerSecret, customer_key, normalise

# As the version of 26 November 2026 made them, under b"an old secret of 27 b".
OLD_SECRET = b"an old secret of 27 b"
OLD_KEYS = {
    "+49 (30) 1234-5": "754d3fcebdd88bfe0b165c06b3e446a2",
    "4930 12345": "754d3fcebdd88bfe0b165c06b3e446a2",
    "0171/7778881": "d15b3f2aae776dd25423e96d92145a06",
    "+1-212-555-0100": "426f45f286f2544ec98e5be4aae676a7",
    "5551234": "162cc2cb57f0f520463ed9a81233712c",
    "555-1234": "162cc2cb57f0f520463ed9a81233712c",
    "9664491": "fb204f9ce5ff09515dfbc3f0cc46a45a",
    "00123": "2674b746d02aea26bb8d609dd9f84763",
    "7": "ee3565772ee3948baba94e3050a5d341",
    "４９３０": "548456f3bd674e82c3bd3f154197bc64",
    " Ann@Example.ORG ": "8866c089949fc0baddc0aebde228454d",
    "a.b+c@example.org": "5e365439666a6b732ee304aed9db58d6",
    "Kunde STRASSE": "f4a10012204f16b114099d6507b26864",
    "Caller 2403": "b467a97bcccd4623ae4bfc2480aebd80",
    "C-1001": "49904689962cd12dde35fc5b7ee40ab0",
    "ACC/12-3": "0c9993312bc009923be8fb67b6a1e727",
    "Müller, Jörg": "d9473fd4003961c41c96d5cb33c204d0",
    "客户-42": "de0876775ce04b5da2ccf17c8693f403",
    "山田ー太郎": "645e4283fb22021cce885ac1518c7584",
    "anne-marie": "260816f1025db36cf4ae991fc8168794",
    "x" * 300: "d0d7b11dfad1ff6852ee4f0e9a4009c1",
}


@pytest.mark.parametrize("raw", OLD_KEYS)
def test_keys_of_ordinary_identifiers_are_as_before(raw: str) -> None:
    assert customer_key(raw, OLD_SECRET) == OLD_KEYS[raw]


@pytest.mark.parametrize(
    "raw",
    [
        "+٤٩ ١٧١ ٧٧٧٨٨٨١",  # Arabic
        "+۴۹ ۱۷۱ ۷۷۷۸۸۸۱",  # Persian
        "+४९ १७१ ७७७८८८१",  # Devanagari
        "+49‐171‑777–88—81",
        "+49−171−7778881",
        "+49 171\u200b777\u2060888\ufeff1",
        "\u202a+49 171 7778881\u202c",
        "+49\u00a0171\u202f7778881",
        "+49 171\u00ad7778881",
        "＋49（171）7778881",
        "+49.171/777-8881\u3164",
    ],
)
def test_spellings_of_one_telephone_number(raw: str) -> None:
    assert normalise(raw) == "491717778881"


@pytest.mark.parametrize(
    "raw",
    [
        *("anonymous@anonymous.invalid", "sip:anonymous@anonymous.invalid", "Anonymous@10.0.0.1"),
        *("unknown@pbx.local", "x@y.invalid", "undefined", "?", "??", "not available", "Not-Available"),
        *("N/A", "n.a.", "(none)", "<unknown>", "No Caller ID", "Unbekannt", "'null'", "...", "–"),
        *("\u200b", "\u3164", "unknown\u200b", "٠٠٠", "--0--"),
    ],
)
def test_names_of_nobody(raw: str) -> None:
    assert customer_key(raw, b"k") is None


@pytest.mark.parametrize(
    "raw", ["ann.unknown@x.org", "private@x.org", "Anonymous Ltd", "a", "7", "\U0001f600"]
)
def test_names_of_somebody(raw: str) -> None:
    assert customer_key(raw, b"k") is not None


def test_an_account_number_with_separators_is_no_telephone_number() -> None:
    assert len({normalise(raw) for raw in ("12-3", "1-23", "123", "1.23", "12/3")}) == 5
    assert normalise("12 - 3") == normalise("12‐3") == "12-3"
    assert normalise("030/123456") == normalise("030 123456") == "030123456"
    assert normalise("(12) 3") == "123"


def test_a_deployment_names_further_nobodies() -> None:
    secret = CustomerSecret(b"k" * 16, ["Kunde X", " 9999 ", "", "+49 30 0"])
    assert [customer_key(raw, secret) for raw in ("kunde  x".replace("  ", " "), "9999", "+49-30-0")] == [
        None
    ] * 3
    assert customer_key("kunde y", secret) == customer_key("kunde y", b"k" * 16)


def test_a_long_identifier_takes_no_time() -> None:
    began = time.monotonic()
    assert normalise("1" * 900_000 + "x")
    assert time.monotonic() - began < 2
