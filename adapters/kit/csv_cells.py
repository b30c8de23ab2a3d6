"""One line of CSV by itself: files of calls are read by lines, so that each has its number and outcome."""

import csv

from adapters.kit.outcomes import InvalidInput


def line_cells(text: str, delimiter: str = ",") -> list[str]:
    """The cells of a line. Raises InvalidInput."""
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise InvalidInput("invalid_csv", f"no line of CSV: {error}") from None
