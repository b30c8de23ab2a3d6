"""The one file inside a zip archive, read as it is unpacked."""

import io
import struct
import zipfile
import zlib
from lzma import LZMAError
from typing import BinaryIO, cast

from adapters.kit.outcomes import WrongFile

ZIP_MAGIC = b"PK\x03\x04"
DAMAGED = (ValueError, EOFError, OverflowError, struct.error, LZMAError, zlib.error)
NO_CONTENT = ("__MACOSX/",)  # what the Finder of macOS puts beside the files


def open_member(stored: io.BufferedReader, name: str) -> BinaryIO:
    """The only file of an archive. Raises WrongFile where there is not exactly one that can be read."""
    if not stored.seekable():
        raise WrongFile(
            f"{name} is a zip archive in a pipe: its table of contents is at its end, name the file"
        )
    try:
        archive = zipfile.ZipFile(stored)
        members = [
            member.filename
            for member in archive.infolist()
            if not member.is_dir() and not member.filename.startswith(NO_CONTENT)
        ]
        if len(members) != 1:
            raise WrongFile(f"{name} is a zip archive of {len(members)} files, expected one: unpack it first")
        return cast(BinaryIO, archive.open(members[0]))
    except WrongFile:
        raise
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, *DAMAGED) as error:
        # A table of contents that is damaged leads anywhere.
        # NotImplementedError: packed in a way that Python does not know; RuntimeError: encrypted.
        raise WrongFile(f"{name} is a zip archive that cannot be read: {error}") from None
