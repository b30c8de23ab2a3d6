"""The ClickHouse user `bi` on the embedded engine, whose only user is given what bi.xml gives to bi."""

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

from support.containers import USERS

OWNER = "ringback"
EMPTY = "<password/><networks><ip>::/0</ip></networks><quota>default</quota>"
CHANGEABLE = "<changeable_in_readonly/>"
# A process of its own: the engine opens once in one. A statement gives its rows, or the code of its error.
ASK = r"""
import json, re, sys
from chdb.state.sqlitelike import Connection
folder, users = sys.argv[1:]
handle = Connection(f"{folder}/data?config-file={folder}/{users}.config.xml")
answers = []
for sql in json.load(sys.stdin):
    try:
        answers.append(handle.query(sql, "TSVRaw").bytes().decode().strip())
    except Exception as error:
        answers.append("error " + re.search(r"Code: (\d+)", str(error))[1])
json.dump(answers, sys.stdout)
"""
READONLY, OUT_OF_BOUNDS, NOT_GRANTED = "error 164", "error 452", "error 497"
NO_SUCH_TABLE = "error 636"  # merge() says so of tables that the user may not read


def bi_xml() -> ET.Element:
    """The file that compose gives to the server."""
    return ET.fromstring(USERS.read_text(encoding="utf-8"))  # noqa: S314 - our own file


def grants_of(users: ET.Element) -> list[str]:
    """What bi is granted."""
    return [query.text or "" for query in users.findall("users/bi/grants/query")]


def profile_of(users: ET.Element, readonly: int) -> str:
    """The profile of bi as the engine takes it.

    It has the word `changeable_in_readonly`, but not the server setting (on by default) that allows it. With
    `readonly` 2 a user may change settings: what is left to judge are the bounds.
    """
    profile = users.find("profiles/bi")
    assert profile is not None
    text = "".join(ET.tostring(child, encoding="unicode") for child in profile)
    text = re.sub(r"<changeable_in_readonly\s*/>", "", text)
    return text.replace("<readonly>1<", f"<readonly>{readonly}<")


def write_users(folder: Path, name: str, profile: str, grants: Sequence[str]) -> None:
    """Users of the engine: its own, `default`, with this profile and these grants (none: everything)."""
    granted = "".join(f"<query>{grant}</query>" for grant in grants)
    granted = f"<grants>{granted}</grants>" if grants else ""
    (folder / f"{name}.xml").write_text(
        f"<clickhouse><profiles><default>{profile}</default><owner/></profiles><quotas><default/></quotas>"
        f"<users><default>{EMPTY}<profile>default</profile>{granted}</default>"
        f"<{OWNER}>{EMPTY}<profile>owner</profile></{OWNER}></users></clickhouse>",
        encoding="utf-8",
    )
    (folder / f"{name}.config.xml").write_text(
        f"<clickhouse><users_config>{folder / name}.xml</users_config></clickhouse>", encoding="utf-8"
    )


def ask(folder: Path, users: str, statements: Sequence[str]) -> list[str]:
    """Rows of each statement as text, or `error` and its code."""
    answer = subprocess.run(
        [sys.executable, "-c", ASK, str(folder), users],
        input=json.dumps([*statements]),
        cwd=folder,  # the engine also looks for a config.xml where it is
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    found: list[str] = json.loads(answer.stdout)
    return found
