import pytest

from schemas.customer_key import customer_key, normalise


@pytest.mark.parametrize(
    ("raw", "normal"),
    [
        ("+49 (30) 1234-5", "493012345"),
        ("4930 12345", "493012345"),
        ("４９３０", "4930"),
        (" Ann@Example.ORG ", "ann@example.org"),
        ("a.b+c@example.org", "a.b+c@example.org"),
        ("Kunde STRASSE", "kunde strasse"),
        ("00123", "00123"),
    ],
)
def test_one_spelling_per_customer(raw, normal):
    assert normalise(raw) == normal


@pytest.mark.parametrize("raw", ["", " ", "0", "000", "+0", "Anonymous", "UNKNOWN", "-", "null"])
def test_nobody_has_no_key(raw):
    assert customer_key(raw, b"k") is None


def test_key_is_keyed_stable_and_tells_nothing():
    key = customer_key("+49 30 12345", b"one")
    assert key == customer_key("(49) 30-12345", b"one") == "7685492920b1a6fdf6e75045231e965e"
    assert key != customer_key("+49 30 12345", b"two")
    assert len(key) == 32


def test_lone_surrogates_and_an_empty_secret():
    assert customer_key("\ud800", b"k") is not None
    with pytest.raises(ValueError, match="empty"):
        customer_key("1", b"")
