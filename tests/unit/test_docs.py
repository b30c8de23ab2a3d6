"""Documents say what the code says. A check takes the text, so that a fault can be planted in it."""

import re
from collections.abc import Callable
from itertools import zip_longest
from pathlib import Path

import pytest
from support.console_examples import difference, examples

from docs.build.commands import paths
from docs.build.pages import DOCUMENTS, README, REFERENCE, pages, read
from kpis.catalogue.every_kpi import every_kpi
from kpis.rules import DEFAULT_RULES

ROOT = Path(__file__).parents[2]
FOLDERS = ("docs", "bench", "tests/data")
PAGES = sorted([*ROOT.glob("*.md"), *(page for name in FOLDERS for page in (ROOT / name).rglob("*.md"))])
ADR = ROOT / "docs" / "adr"
SOURCES = ROOT / "docs" / "sources"
EXAMPLES = ("README.md", "docs/start.md")
README_BYTES = 9_000  # one screen after the other: what does not fit belongs into docs/
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
# Code in backticks: a file, or a folder of one of our packages.
PATH = re.compile(
    r"`((?:[\w.-]+/)+[\w.-]+\.(?:py|sql|md|yml|avsc|xml|jsonl)"
    r"|(?:adapters|bench|cli|deploy|docs|kpis|reports|schemas|simulator|sinks|sql|streams|tests)(?:/[\w.-]+)+/?)`"
)
# A page that code names; whatever stood in the design is not in the repository.
NAMED = re.compile(r"[\w/-]+\.md\b|\bkpi-spec\b")
FENCE = re.compile(r"^(`{3,}).*?^\1", re.MULTILINE | re.DOTALL)
STATION = re.compile(r"^\| \d+ \|.*\| `([\w/]+\.py)` \| `(\w+)` \|$", re.MULTILINE)

Check = Callable[[str], list[str]]
MADE = pages()


def made_wrong(path: str, text: str) -> list[str]:
    """The first line of a page that is not as `make docs` writes it."""
    pairs = zip_longest(text.splitlines(), MADE[path].splitlines(), fillvalue="(end)")
    return [f"{said!r}, not {line!r}; run `make docs`" for said, line in pairs if said != line][:1]


@pytest.mark.parametrize("path", sorted(MADE))
def test_a_page_is_as_make_docs_writes_it(path: str) -> None:
    assert made_wrong(path, read(path)) == []


def test_every_page_of_the_reference_is_made() -> None:
    found = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs" / "reference").glob("*")}
    assert found == (REFERENCE | DOCUMENTS).keys()


@pytest.mark.parametrize(
    ("path", "said", "planted"),
    [
        (
            "docs/reference/settings.md",
            "| `RINGBACK_KAFKA_PORT` | `9092` |",
            "| `RINGBACK_KAFKA_PORT` | `1` |",
        ),
        ("docs/reference/settings.md", "| `short_abandon_s` | `5` |", "| `short_abandon_s` | `6` |"),
        ("docs/reference/commands.md", "## ringback doctor", "## ringback nurse"),
        ("docs/reference/commands.md", "| `--every` | `all` |", "| `--every` | `1d` |"),
        ("docs/reference/events.md", "## contact_held", "## contact_parked"),
        ("docs/reference/events.md", "`callback_of`", "`call_of`"),
        ("docs/reference/kpis.md", "- Formula: `offered`", "- Formula: `answered`"),
        ("docs/reference/kpis.md", "| `service_level.genesys` |", "| `service_level.other` |"),
        (
            "docs/reference/metrics.md",
            "| `ringback_commits_total` | counter |",
            "| `ringback_commits_total` | gauge |",
        ),
        ("docs/reference/views.md", "| `hold_abandon` |", "| `hold_left` |"),
        ("docs/reference/views.md", "| `asa`, `asa_n`, ", "| `asa`, "),
        ("README.md", "`ringback import bank`", "`ringback import blank`"),
    ],
)
def test_a_fault_in_a_made_page_is_found(path: str, said: str, planted: str) -> None:
    text = read(path)
    assert said in text
    assert made_wrong(path, text.replace(said, planted, 1))


def readme_wrong(readme: str) -> list[str]:
    """A README that is too long, or whose round number of KPIs is off by more than a tenth."""
    found = re.search(r"some (\d+) in all", readme)
    real = sum(not kpi.variant_of for kpi in every_kpi(DEFAULT_RULES).values())
    wrong = [] if found and abs(int(found[1]) - real) <= real // 10 else [f"{real} KPIs"]
    size = len(readme.encode())
    return wrong + ([f"{size:,} bytes, at most {README_BYTES:,}"] if size > README_BYTES else [])


def index_wrong(readme: str) -> list[str]:
    """Pages of docs/ that no link of the README names; a list of decisions, mappings, surveys will do."""
    """Pages of docs/ that no link of the README names; of decisions, mappings, surveys a list is enough."""
    linked = {link.partition("#")[0] for link in LINK.findall(readme)}
    lists = LINK.findall(read("docs/guide/mappings.md") + read("docs/guide/gateway.md"))
    linked |= {f"docs/{link.removeprefix('../')}" for link in lists if link.startswith("../sources/")}
    written = {path.relative_to(ROOT).as_posix() for path in PAGES if path.is_relative_to(ROOT / "docs")}
    return sorted(path for path in written - linked if not path.startswith("docs/adr/0"))


def adrs_wrong(listing: str) -> list[str]:
    """Decisions that the list lacks or makes up, and gaps in the numbers that it does not explain."""
    listed = {link for link in LINK.findall(listing) if re.match(r"\d{4}-", link)}
    wrong = sorted(listed ^ {path.name for path in ADR.glob("[0-9]*.md")})
    numbers = {int(name[:4]) for name in listed}
    missing = {number for number in range(1, max(numbers)) if number not in numbers}
    stated = re.search(r"numbers ([\d, and]+) were never used", listing)
    explained = {int(number) for number in re.findall(r"\d+", stated[1])} if stated else set()
    return wrong + [f"{number:04}" for number in sorted(missing ^ explained)]


def changelog_wrong(changelog: str) -> list[str]:
    """A changelog begins with what is unreleased, or with a version."""
    first = re.search(r"^## (.*)", changelog, re.MULTILINE)
    fine = first and re.fullmatch(r"\[(?:Unreleased|\d+\.\d+\.\d+)\].*", first[1])
    return [] if fine else [first[1] if first else "no heading"]


def sending_wrong(text: str) -> list[str]:
    """The lines shown are those of the file that the examples import."""
    found = re.search(r"```json\n(.*?)```", text, re.DOTALL)
    same = found and found[1] == (ROOT / "docs" / "examples" / "calls.jsonl").read_text(encoding="utf-8")
    return [] if same else ["not the lines of docs/examples/calls.jsonl"]


def stations_wrong(text: str) -> list[str]:
    """Stations of an event whose file has no such function."""
    found = STATION.findall(text)
    assert len(found) > 10
    return [
        f"{path}: {name}"
        for path, name in found
        if not (ROOT / path).exists()
        or not re.search(
            rf"^\s*(?:async )?(?:def|class) {name}\b", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE
        )
    ]


def anchors(text: str) -> set[str]:
    """Anchors that GitHub makes of headings."""
    headings = re.findall(r"^#+ (.*)", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links_wrong(page: Path, text: str) -> list[str]:
    """Links of a page that lead nowhere."""
    wrong = []
    for link in LINK.findall(FENCE.sub("", text)):
        target, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        path = page.parent / target if target else page
        if not path.exists() or (anchor and anchor not in anchors(path.read_text("utf-8"))):
            wrong.append(link)
    return wrong


def paths_wrong(page: Path, text: str) -> list[str]:
    """Paths in a page that are not there; a page may name its neighbours."""
    places = (ROOT, page.parent)
    named = [path for path in PATH.findall(text) if "<" not in path]
    return [path for path in named if not any((place / path).exists() for place in places)]


def readme_links_wrong(text: str) -> list[str]:
    return links_wrong(ROOT / README, text)


def readme_paths_wrong(text: str) -> list[str]:
    return paths_wrong(ROOT / README, text)


def commands_wrong(text: str) -> list[str]:
    """Commands in examples that do not exist."""
    known = paths()
    alone = {"ringback", "ringback import", "ringback dead-letters"}
    typed = re.findall(r"^(?:\$ )?(?:\w+=\S+ )*(ringback(?: [a-z][a-z-]+)*)", text, re.MULTILINE)
    return [
        words
        for words in typed
        if words not in alone and not any(f"{words} ".startswith(f"{name} ") for name in known)
    ]


def pages_named_wrong(code: str) -> list[str]:
    """Pages that code or its comments name and that are not in the repository."""
    known = [f"/{page.relative_to(ROOT).as_posix()}" for page in PAGES]
    return [
        name
        for name in NAMED.findall(code)
        if not any(page.endswith(f"/{name.lstrip('/')}") for page in known)
    ]


def sources_of_code() -> list[Path]:
    """All code and test tables but this file, which plants faults."""
    listed = [*ROOT.glob("*/**/*.py"), *ROOT.glob("sql/**/*.sql"), *ROOT.glob("tests/golden/**/*.txt")]
    ours = [path for path in listed if not path.relative_to(ROOT).parts[0].startswith(".")]
    return [path for path in ours if path != Path(__file__).resolve()]


def test_code_names_only_pages_that_are_there() -> None:
    wrong = {short(path): pages_named_wrong(path.read_text(encoding="utf-8")) for path in sources_of_code()}
    assert {path: names for path, names in wrong.items() if names} == {}


def short(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=short)
def test_links_lead_somewhere(page: Path) -> None:
    assert links_wrong(page, page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("page", PAGES, ids=short)
def test_paths_are_there(page: Path) -> None:
    assert paths_wrong(page, page.read_text(encoding="utf-8")) == []


def test_every_source_has_a_page() -> None:
    imported = {path.rpartition(" ")[2] for path in paths() if path.startswith("ringback import ")}
    assert {page.stem for page in SOURCES.glob("*.md")} == imported


@pytest.mark.parametrize("page", EXAMPLES)
def test_examples_can_be_run(page: str) -> None:
    """What they print is compared in tests/integration/test_readme_examples.py."""
    found = examples(ROOT / page)
    assert len(found) >= 4
    assert all(example.arguments and example.expected for example in found)


def test_examples_compare_what_is_printed() -> None:
    printed = "from   offered  \n2026  12 s\nas of 2026-11-27 03:18 UTC\n\n"
    assert difference("from   offered\n2026  12 s\nas of ... UTC\n", printed) == ""
    assert difference("from   offered\n...\nas of ... UTC\n", printed) == ""
    assert difference("...\n", printed) == ""
    for wrong in (
        "from   offered\nas of ... UTC\n",
        "from\n...\n",
        "from   offered\n2026  13 s\n...\n",
        "",
        "..."[:2],
    ):
        assert difference(wrong, printed)


CHECKS: list[tuple[Check, str]] = [
    (readme_wrong, README),
    (index_wrong, README),
    (commands_wrong, README),
    (commands_wrong, "docs/start.md"),
    (adrs_wrong, "docs/adr/README.md"),
    (changelog_wrong, "CHANGELOG.md"),
    (sending_wrong, "docs/guide/sending.md"),
    (stations_wrong, "docs/internals/one-event.md"),
]


@pytest.mark.parametrize(("check", "path"), CHECKS, ids=lambda value: getattr(value, "__name__", ""))
def test_documents_and_code_agree(check: Check, path: str) -> None:
    assert check(read(path)) == []


FAULTS: list[tuple[Check, str, str, str]] = [
    (readme_wrong, README, " in all.", "0 in all."),
    (readme_wrong, README, "# Ringback", "# Ringback" + " " * README_BYTES),
    (index_wrong, README, "(docs/operating/monitoring.md)", "(docs/facts.md)"),
    (commands_wrong, README, "$ ringback verify", "$ ringback check"),
    (adrs_wrong, "docs/adr/README.md", "0005-assignor-knows-topics.md", "0005-assignor.md"),
    (adrs_wrong, "docs/adr/README.md", "0013 and 0014", "0013"),
    (changelog_wrong, "CHANGELOG.md", "## [Unreleased]", "## News"),
    (sending_wrong, "docs/guide/sending.md", '"place":"queue"', '"place":"ring"'),
    (readme_links_wrong, README, "(docs/facts.md)", "(docs/fact.md)"),
    (readme_links_wrong, README, "(docs/start.md)", "(docs/start.md#end)"),
    (readme_paths_wrong, README, "`make bench`", "`streams/order.py`"),
    (readme_paths_wrong, README, "`make bench`", "`streams/order`"),
    (pages_named_wrong, "kpis/facts.py", "docs/facts.md defines", "docs/kpi.md defines"),
    (pages_named_wrong, "kpis/facts.py", "docs/facts.md defines", "kpi-spec 3.2 defines"),
]


@pytest.mark.parametrize(
    ("check", "path", "said", "planted"), FAULTS, ids=lambda value: getattr(value, "__name__", "")
)
def test_a_planted_fault_is_found(check: Check, path: str, said: str, planted: str) -> None:
    text = read(path)
    assert said in text
    assert check(text.replace(said, planted, 1))
