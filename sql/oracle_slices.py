"""What does not fit in memory is done part by part: relations of the oracle in slices.

Facts of parts are simply more facts; windows of parts are partial sums, which all readers add up.
"""

# ruff: noqa: S608 -- names and relations are ours; values from outside are query parameters


def sliced(relation: str, key: str = "contact_id") -> str:
    """One of `slices` parts of a relation by a hash of a key."""
    return f"(SELECT * FROM {relation} WHERE cityHash64({key}) % {{slices:UInt32}} = {{slice:UInt32}})"


def ranged(relation: str) -> str:
    """The same, by where contact ids lie in their order: of what lies in that order only a part is read.

    All slices together read raw events once, where slices by a hash read them once each.
    """
    return (
        f"(SELECT * FROM {relation} WHERE contact_id >= unhex({{slice_begin:String}}) "
        "AND contact_id < unhex({slice_end:String}))"
    )


def sample_of_contacts(relation: str) -> str:
    """One contact id of `sample` in hexadecimals, in their order: where ranges begin."""
    return (
        f"SELECT hex(contact_id) FROM {relation} WHERE cityHash64(contact_id) % {{sample:UInt32}} = 0 "
        "GROUP BY contact_id ORDER BY contact_id"
    )
