"""Ending queries: chDB makes query ids of its own, so ours go with each query in the setting log_comment."""

from deploy.local.clickhouse.settings import quote
from deploy.local.clickhouse.tokens import Token, tokens

_COMMENT = "Settings['log_comment']"
_QUERY_ID = f"splitByChar('/', {_COMMENT}, 3)[3]"
_ENDS = frozenset({"ASYNC", "SYNC", "TEST", "FORMAT", "SETTINGS"})


def mark_of(user: str, serial: int, query_id: str) -> str:
    """What a query is known by: whose it is, a number of its own, and the id that the client gave it."""
    return f"{user}/{serial}/{query_id}"


def kill_statement(mark: str) -> str:
    """Ends the one query with this mark."""
    return f"KILL QUERY WHERE {_COMMENT} = {quote(mark)} ASYNC"


def is_kill_query(normalised: str) -> bool:
    """Whether a statement is KILL QUERY."""
    return [token.keyword for token, _ in zip(tokens(normalised), range(2), strict=False)] == [
        "KILL",
        "QUERY",
    ]


def own_ids(normalised: str, only_user: str = "") -> str:
    """A client's KILL QUERY by our query ids, not the engine's; of one user's queries if one is named."""
    stream = list(tokens(normalised))
    where = next((token for token in stream if token.keyword == "WHERE" and token.depth == 0), None)
    if where is None:
        return normalised
    rest = [token for token in stream if token.start >= where.end]
    end = next(
        (token.start for token in rest if token.depth == 0 and token.keyword in _ENDS), len(normalised)
    )
    condition = _replaced(normalised, [token for token in rest if token.end <= end], where.end, end)
    whose = f"startsWith({_COMMENT}, {quote(only_user + '/')}) AND " if only_user else ""
    return f"KILL QUERY WHERE {whose}({condition})\n{normalised[end:]}"


def _replaced(text: str, stream: list[Token], start: int, end: int) -> str:
    parts = []
    for token in stream:
        if token.kind in ("word", "quoted") and token.text.strip('`"') == "query_id":
            parts += [text[start : token.start], _QUERY_ID]
            start = token.end
    return "".join([*parts, text[start:end]])
