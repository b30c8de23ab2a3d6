import re
import shutil
import sys
from pathlib import Path

import pytest
import yaml

from deploy.local.errors import LocalStackError
from deploy.local.kafka.broker import (
    distrust_damaged_indexes,
    new_cluster_id,
    require_complete,
    require_usable_path,
)
from deploy.local.kafka.config import (
    JVM_OPTIONS,
    LOG4J2_YAML,
    BrokerFiles,
    escaped,
    format_command,
    server_command,
    server_properties,
)
from deploy.local.kafka.java import major_version
from deploy.local.kafka.pins import KAFKA_VERSION, parse_jars, pinned_jars
from deploy.local.kafka.probe import live_brokers, metadata_request
from deploy.local.kafka.runtime import KafkaRuntime, default_cache_dir, jvm_options
from streams.kafka.writer import REQUEST_MAX_BYTES

FILES = BrokerFiles(Path("/data/kafka"))
RUNTIME = KafkaRuntime(Path("/java/bin/java"), "/cache/a.jar:/cache/b.jar")


def properties_of(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines())


def test_every_listener_is_on_loopback() -> None:
    found = properties_of(server_properties(Path("/data"), 9092, 40001))
    assert found["listeners"] == "PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:40001"
    assert found["advertised.listeners"] == "PLAINTEXT://127.0.0.1:9092"
    assert found["controller.quorum.voters"] == "1@127.0.0.1:40001"
    assert found["process.roles"] == "broker,controller"


def test_every_replicated_thing_has_one_copy() -> None:
    found = properties_of(server_properties(Path("/data"), 9092, 40001))
    copies = {key: value for key, value in found.items() if key.endswith(("replication.factor", "min.isr"))}
    assert len(copies) == 6
    assert set(copies.values()) == {"1"}


def test_nothing_is_created_or_deleted_unasked() -> None:
    found = properties_of(server_properties(Path("/data"), 9092, 40001))
    assert found["auto.create.topics.enable"] == "false"
    assert found["log.retention.hours"] == "-1"


def test_announced_requests_fit_into_the_heap_and_our_own_are_let_in() -> None:
    found = properties_of(server_properties(Path("/data"), 9092, 40001))
    one, all_of_them = int(found["socket.request.max.bytes"]), int(found["queued.max.request.bytes"])
    heap = next(int(option[4:-1]) for option in JVM_OPTIONS if option.startswith("-Xmx")) * 1024 * 1024
    assert REQUEST_MAX_BYTES < one < all_of_them < heap // 2


@pytest.mark.parametrize(
    ("value", "text"),
    [("/a b/c", "/a b/c"), ("C:\\x", "C:\\\\x"), ("/ü", "/\\u00fc"), ("/😀", "/\\ud83d\\ude00")],
)
def test_paths_survive_java_properties(value: str, text: str) -> None:
    assert escaped(value) == text


def test_commands_name_the_files_and_the_class_path() -> None:
    assert format_command(RUNTIME, FILES, "id")[-6:] == [
        "kafka.tools.StorageTool",
        "format",
        "-t",
        "id",
        "-c",
        "/data/kafka/server.properties",
    ]
    command = server_command(RUNTIME, FILES)
    assert command[0] == "/java/bin/java"
    assert command[-2:] == ["kafka.Kafka", "/data/kafka/server.properties"]
    assert command[command.index("-cp") + 1] == RUNTIME.classpath


def test_logging_is_quiet() -> None:
    assert yaml.safe_load(LOG4J2_YAML)["Configuration"]["Loggers"]["Root"]["level"] == "WARN"


def test_cluster_ids_are_22_characters() -> None:
    assert all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]{21}", new_cluster_id()) for _ in range(500))


def test_a_comma_in_the_data_folder_is_refused() -> None:
    with pytest.raises(LocalStackError, match=r"comma.*\n.*RINGBACK_DATA_DIR"):
        require_usable_path(Path("/a,b"))


def test_pins_are_complete_and_of_one_version() -> None:
    jars = pinned_jars()
    ours = {jar.version for jar in jars if jar.group == "org.apache.kafka"}
    assert ours == {KAFKA_VERSION}
    assert len({jar.filename for jar in jars}) == len(jars)
    assert all(re.fullmatch("[0-9a-f]{64}", jar.sha256) and jar.size_bytes > 0 for jar in jars)
    assert any(jar.artifact == "log4j-slf4j-impl" for jar in jars)


def test_a_line_names_the_file_in_the_repository() -> None:
    first, second = parse_jars("aa 1 g.h:a:1\nbb 2 g:b:2\n")
    assert (first.filename, second.filename) == ("a-1.jar", "b-2.jar")
    assert first.path == "g/h/a/1/a-1.jar"


def test_metadata_probe_speaks_kafka() -> None:
    assert metadata_request() == bytes.fromhex("0000000e 0003 0001 00000001 ffff 00000000")
    assert live_brokers(bytes.fromhex("00000001 00000001 00000001")) == 1
    assert live_brokers(bytes.fromhex("00000001 00000000")) == 0
    assert live_brokers(b"HTTP/1.1 400 Bad Request") == 0


def test_java_version_is_read_from_the_release_file(tmp_path: Path) -> None:
    assert major_version(tmp_path) is None
    (tmp_path / "release").write_text('IMPLEMENTOR="x"\nJAVA_VERSION="17.0.15"\n')
    assert major_version(tmp_path) == 17


def test_cache_folder_follows_the_platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache_dir() == tmp_path / "ringback"
    monkeypatch.setenv("HOME", str(tmp_path))
    usual = tmp_path / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "ringback"
    for unusable in ("relative", ""):
        monkeypatch.setenv("XDG_CACHE_HOME", unusable)
        assert default_cache_dir() == usual
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_cache_dir() == usual


def test_an_older_java_gets_no_option_it_does_not_know() -> None:
    assert jvm_options(17) == ()
    assert jvm_options(None) == ()
    assert len(jvm_options(25)) == 1


@pytest.mark.parametrize("missing", ["meta.properties", "__cluster_metadata-0"])
def test_topics_without_what_kafka_knows_them_by_are_not_started(tmp_path: Path, missing: str) -> None:
    """Kafka would begin anew and do away with the topics that are there."""
    files = BrokerFiles(tmp_path / "kafka")
    (files.log_dir / "contact-events-0").mkdir(parents=True)
    (files.log_dir / "__cluster_metadata-0").mkdir()
    (files.log_dir / "__cluster_metadata-0" / "00000000000000000000.log").touch()
    files.meta_properties.touch()
    require_complete(files)
    gone = files.log_dir / missing
    if gone.is_dir():
        shutil.rmtree(gone)
    else:
        gone.unlink()
    with pytest.raises(LocalStackError, match=f"{missing} is gone"):
        require_complete(files)
    shutil.rmtree(files.log_dir / "contact-events-0")
    require_complete(files)  # nothing is lost: a first start that was cut short


@pytest.mark.parametrize(
    ("name", "size", "kept"), [("index", 100, False), ("index", 16, True), ("timeindex", 16, False)]
)
def test_after_damage_to_an_index_a_clean_stop_is_not_believed(
    tmp_path: Path, name: str, size: int, kept: bool
) -> None:
    """Kafka took such a log for empty, wrote over it, and what was written was read by nobody."""
    files = BrokerFiles(tmp_path / "kafka")
    partition = files.log_dir / "contact-events-0"
    partition.mkdir(parents=True)
    (partition / f"00000000000000000000.{name}").write_bytes(bytes(size))
    marker = files.log_dir / ".kafka_cleanshutdown"
    marker.touch()
    distrust_damaged_indexes(files)
    assert marker.exists() is kept
