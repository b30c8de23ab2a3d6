"""From a result to the bytes and headers of a reply."""

import json
from dataclasses import dataclass

from deploy.local.clickhouse.blocks import pack
from deploy.local.clickhouse.compression import choose_encoding, encode
from deploy.local.clickhouse.execute import Answer
from deploy.local.clickhouse.settings import RequestOptions


@dataclass(frozen=True)
class Packing:
    """How a client wants its answer: ClickHouse's own frames, and an encoding of HTTP."""

    blocks: bool = False
    accept: str = ""

    @classmethod
    def wanted(cls, options: RequestOptions, accept: str) -> "Packing":
        """By the parameters of a request and its Accept-Encoding."""
        return cls(options.compress_blocks, accept if options.compress_response else "")

    def packed(self, body: bytes) -> tuple[bytes, dict[str, str]]:
        """The body as it goes out, and headers that say how. Small ones too: Java takes all for packed."""
        if self.blocks:
            body = pack(body)
        encoding = choose_encoding(self.accept)
        return (encode(body, encoding), {"Content-Encoding": encoding}) if encoding else (body, {})


def summary(answer: Answer) -> str:
    """The header X-ClickHouse-Summary."""
    result = answer.result
    figures = {
        "read_rows": result.read_rows,
        "read_bytes": result.read_bytes,
        "written_rows": result.written_rows,
        "written_bytes": result.written_bytes,
        "total_rows_to_read": result.read_rows,
        "result_rows": result.written_rows or result.result_rows,
        "result_bytes": result.written_bytes or len(result.body),
        "elapsed_ns": result.elapsed_ns,
    }
    return json.dumps({name: str(value) for name, value in figures.items()})


def content_type(fmt: str) -> str:
    """The header Content-Type, as a server gives it."""
    if fmt.startswith("JSON"):
        return f"application/{'x-ndjson' if fmt.endswith('EachRow') else 'json'}; charset=UTF-8"
    if fmt.startswith(("TabSeparated", "TSV")):
        return "text/tab-separated-values; charset=UTF-8"
    if fmt.startswith("CSV"):
        return "text/csv; charset=UTF-8; header=" + ("present" if "WithNames" in fmt else "absent")
    return "application/octet-stream" if fmt else "text/plain; charset=UTF-8"
