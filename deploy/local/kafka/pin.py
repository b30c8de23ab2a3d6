"""Writes jars.py: run `python -m deploy.local.kafka.pin` after changing `KAFKA_VERSION` or the bridge.

Only a developer who changes `KAFKA_VERSION` runs this. Users get exactly the listed files, whatever a
repository or a mirror says later, and are spared resolving POMs (18 s against 2 s for the jars).
"""

import tempfile
from pathlib import Path

import pooch
from jgo.maven import MavenContext, PythonResolver

from deploy.local.kafka.pins import KAFKA_VERSION, LOGGING_BRIDGE, Jar

BROKER = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}"

HEADER = '''# ruff: noqa: E501
"""Every jar of the broker: sha256, size in bytes, Maven coordinate. Written by pin.py."""

JARS = """\\
'''


def resolve(repository: Path) -> list[Jar]:
    """Resolve the broker with all it needs at run time and fetch every jar into `repository`."""
    context = MavenContext(resolver=PythonResolver(), repo_cache=repository)
    named, needed = context.resolver.resolve([context.create_dependency(BROKER)])
    # Not resolved together with the broker: jgo would then take the bridge's managed versions for all,
    # among them an old kafka-clients. What the bridge needs, the broker brings.
    bridge = context.create_dependency(LOGGING_BRIDGE)
    jars = []
    for dependency in [*named, *needed, bridge]:
        artifact = dependency.artifact
        path = Path(artifact.resolve())
        sha256 = pooch.file_hash(str(path))
        jars.append(Jar(artifact.groupId, artifact.artifactId, artifact.version, path.stat().st_size, sha256))
    return sorted(jars, key=lambda jar: jar.filename)


def main() -> None:
    """Rewrite jars.py next to this file."""
    with tempfile.TemporaryDirectory() as folder:
        jars = resolve(Path(folder))
    lines = [f"{jar.sha256} {jar.size_bytes} {jar.group}:{jar.artifact}:{jar.version}" for jar in jars]
    Path(__file__).with_name("jars.py").write_text(HEADER + "\n".join(lines) + '\n"""\n', encoding="utf-8")


if __name__ == "__main__":
    main()
