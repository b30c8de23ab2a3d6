"""`python -m bench.against REF`: what an event costs the worker's core now and at another commit, in one run.

The input is made by the other commit, so its events are of the version that it writes. Both apply it (see
`bench.apply`) in turn, each in a process of its own, so that what else the machine does hits both alike.
"""

import argparse
import io
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from statistics import median

import orjson

from bench.meter import AS_A_WORKER

HERE = Path(__file__).parents[1]
MAKE = """import sys; from pathlib import Path; from bench import events
events.save(events.make(int(sys.argv[2]), 7), Path(sys.argv[1]))"""


def options() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m bench.against", description=__doc__)
    parser.add_argument("ref", help="the other commit, such as v1 or HEAD~20")
    parser.add_argument("--events", type=int, default=60_000)
    parser.add_argument("--rounds", type=int, default=7)
    return parser.parse_args()


def unpacked(ref: str, folder: Path) -> Path:
    """The tree of a commit. Raises CalledProcessError where there is no such commit."""
    packed = subprocess.check_output(["git", "archive", ref], cwd=HERE)
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        tar.extractall(folder, filter="data")
    return folder


def python(tree: Path, *arguments: str) -> bytes:
    """What a Python of this environment prints in a tree, with that tree's code."""
    env = os.environ | {"PYTHONPATH": str(tree)}
    return subprocess.check_output([sys.executable, *arguments], cwd=tree, env=env)


def cpu_us(tree: Path, data: Path) -> float:
    """CPU of an event; ends the program where the numbers are wrong."""
    told = orjson.loads(python(tree, "-c", AS_A_WORKER, "bench.apply", str(data), "old"))
    if not told["counted"].startswith("1 ("):
        sys.exit(f"{tree}: {told['counted']}")
    return float(told["cpu_s"]) / int(told["events"]) * 1e6


def main() -> None:
    """Both in turn, the median of each and of the ratios of neighbours."""
    wanted = options()
    with tempfile.TemporaryDirectory() as folder:
        tree, data = Path(folder) / "tree", Path(folder)
        tree.mkdir()
        unpacked(wanted.ref, tree)
        python(tree, "-c", MAKE, str(data), str(wanted.events))
        pairs = [(cpu_us(tree, data), cpu_us(HERE, data)) for _ in range(wanted.rounds)]
    then, now = (median(pair[side] for pair in pairs) for side in (0, 1))
    ratio = median(after / before for before, after in pairs)
    said = f"{wanted.ref} {then:.1f} us CPU an event, now {now:.1f}"
    print(f"{said}; now / then {ratio:.3f}, the median of {len(pairs)} pairs")


if __name__ == "__main__":
    main()
