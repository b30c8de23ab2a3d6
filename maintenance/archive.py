"""A folder of exported files and a manifest of what each holds: an export again writes what changed."""

import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

import orjson

from maintenance.container import ContainerWriter
from maintenance.parquet import write_parquet

MANIFEST = "manifest.json"


class Form(StrEnum):
    """How exported files are written."""

    avro = "avro"
    parquet = "parquet"


@dataclass(frozen=True, slots=True)
class Held:
    """What a file holds: how many events, and a digest of them where one is known."""

    events: int
    digest: str = ""


class FileShrinks(ValueError):
    """A file would be written anew with fewer events than it holds: what is gone may be only here."""


class Archive:
    """A folder. Files appear when they are complete, never before."""

    def __init__(self, folder: Path, overwrite: bool = False) -> None:
        """Raises OSError, and ValueError where the manifest is none."""
        self.folder = folder
        self._overwrite = overwrite
        folder.mkdir(parents=True, exist_ok=True)
        self.files: dict[str, Held] = {}
        manifest = folder / MANIFEST
        if manifest.exists():
            self.files = {name: Held(**held) for name, held in orjson.loads(manifest.read_bytes()).items()}

    def holds(self, name: str, held: Held) -> bool:
        """Is the file there, with just this in it? Raises FileShrinks where it has more."""
        known = self.files.get(name)
        if known is None or not (self.folder / name).exists() or self._overwrite:
            return False
        if known.events > held.events:
            raise FileShrinks(
                f"{self.folder / name} holds {known.events:,} events, and there are {held.events:,} now: "
                "what was deleted since would be lost. Take another folder, or write anew by --overwrite"
            )
        return known == held

    def write(self, name: str, held: Held, make: Callable[[Path], None]) -> None:
        """Make a file beside and put it in its place. Raises what `make` raises, and OSError."""
        beside = self.folder / f"{name}.part"
        make(beside)
        with beside.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(beside, self.folder / name)
        self.files[name] = held
        self._keep()

    def remove(self, name: str) -> None:
        """Take a file away that another one has replaced."""
        (self.folder / name).unlink(missing_ok=True)
        if self.files.pop(name, None) is not None:
            self._keep()

    def _keep(self) -> None:
        beside = self.folder / f"{MANIFEST}.part"
        text = orjson.dumps(
            {name: asdict(held) for name, held in sorted(self.files.items())}, option=orjson.OPT_INDENT_2
        )
        beside.write_bytes(text)
        os.replace(beside, self.folder / MANIFEST)


def write_events(path: Path, form: Form, table: str, canonicals: Iterable[bytes]) -> None:
    """Write events that belong into a table, given as canonical bytes of today's schemas."""
    if form is Form.parquet:
        write_parquet(path, table, [*canonicals])
        return
    with path.open("wb") as file:
        writer = ContainerWriter(file)
        for canonical in canonicals:
            writer.add(canonical)
        writer.flush()
