"""Form bodies: clients send the query and long parameters as multipart fields rather than in the URL."""

from aiohttp import BodyPartReader, web

from deploy.local.clickhouse.errors import BAD_ARGUMENTS, NOT_IMPLEMENTED, QUERY_IS_TOO_LARGE, refused
from deploy.local.clickhouse.spool import MAX_SQL_BYTES


def is_form(request: web.Request) -> bool:
    """Whether the body is a multipart form. (curl calls any body a urlencoded form; that one is raw SQL.)"""
    return request.content_type == "multipart/form-data"


async def read_form(request: web.Request) -> list[tuple[str, str]]:
    """The text fields of a form. Raises QueryError: files (external tables) are not supported."""
    fields: list[tuple[str, str]] = []
    size = 0
    try:
        reader = await request.multipart()
        async for part in reader:
            if not isinstance(part, BodyPartReader) or part.name is None:
                raise refused(BAD_ARGUMENTS, "A form field without a name.")
            if part.filename is not None:
                raise refused(
                    NOT_IMPLEMENTED,
                    "External data (files in a form) are not supported by the embedded ClickHouse; "
                    "insert them into a temporary table of a session instead.",
                )
            value = bytearray()
            while chunk := await part.read_chunk():
                size += len(chunk)
                if size > MAX_SQL_BYTES:
                    raise refused(QUERY_IS_TOO_LARGE, f"The form is larger than {MAX_SQL_BYTES} bytes.")
                value += chunk
            fields.append((part.name, value.decode("utf-8", "replace")))
    except (ValueError, AssertionError) as error:
        raise refused(BAD_ARGUMENTS, f"The form cannot be read: {error}.") from None
    return fields
