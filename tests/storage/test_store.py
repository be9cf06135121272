"""Artifacts in a real object store: whole or absent, checked on arrival, and what is wrong with the store in words."""

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from s3fs import S3FileSystem

from flows import doctor
from storage import artifacts
from storage.catalog.artifact import Artifact
from storage.errors import DublineError, Missing, Refused, Unreachable
from storage.settings import settings
from tests.storage.objects import BUCKET, KEY, SECRET, ObjectStore

BIG = 110 << 20  # bytes: s3fs puts it in three parts, and there is a middle to be killed in


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    with ObjectStore(tmp_path_factory.mktemp("objects")) as server:
        yield server


@pytest.fixture
def store(server: ObjectStore, house: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStore]:
    """The settings name the object store, in a folder of its own."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    forget_connections()
    yield server
    forget_connections()
    for name in server.objects():
        server.client().rm_file(f"{BUCKET}/{name}")


def forget_connections() -> None:
    """As a new process would: the environment is read when a connection is made."""
    S3FileSystem.clear_instance_cache()


def name_of(kept: Artifact) -> str:
    return f"artifacts/{kept.sha[:2]}/{kept.sha}{kept.suffix}"


def object_of(kept: Artifact) -> str:
    return f"{BUCKET}/{name_of(kept)}"


def drawn(folder: Path, said: bytes = b"picture") -> Path:
    source = folder / "patch.mkv"
    source.write_bytes(said)
    return source


def test_what_is_kept_is_one_object_and_comes_back(store: ObjectStore, house: Path, tmp_path: Path) -> None:
    kept = artifacts.put(drawn(tmp_path), "patch", ".mkv")
    assert store.objects() == {name_of(kept): 7} and artifacts.holds(kept)
    assert artifacts.path(kept.sha, ".mkv").read_bytes() == b"picture"
    assert artifacts.path(kept.sha, ".mkv").is_relative_to(house / "cache")
    arrays = artifacts.put_arrays("geometry", {"frames": np.arange(3)})
    assert (artifacts.arrays(arrays.sha)["frames"] == np.arange(3)).all()
    assert not artifacts.holds(Artifact("0" * 64, "patch", ".mkv", 7))


def test_what_another_machine_keeps_is_seen_at_once(store: ObjectStore) -> None:
    said = b"from afar"
    row = Artifact(hashlib.sha256(said).hexdigest(), "patch", ".mkv", len(said))
    assert not artifacts.holds(row)
    store.client().pipe_file(object_of(row), said)
    assert artifacts.holds(row) and artifacts.path(row.sha, ".mkv").read_bytes() == said
    store.client().rm_file(object_of(row))
    assert not artifacts.holds(row)


def putting(source: Path, home: Path) -> subprocess.Popen[bytes]:
    """A process of another machine that keeps the file, and then reads it."""
    deed = (
        "import sys; from pathlib import Path; from storage import artifacts\n"
        "kept = artifacts.put(Path(sys.argv[1]), 'patch', '.mkv')\n"
        "sys.exit(artifacts.path(kept.sha, '.mkv').read_bytes() != Path(sys.argv[1]).read_bytes())"
    )
    return subprocess.Popen([sys.executable, "-c", deed, str(source)], env=os.environ | {"DUBLINE_HOME": str(home)})


def wait_for_the_middle(of: ObjectStore) -> None:
    deadline = time.monotonic() + 60
    while not of.unfinished():
        assert time.monotonic() < deadline and not of.objects(), "there was no middle of the put"


def test_two_machines_that_keep_the_same_bytes_at_once_both_have_them(store: ObjectStore, tmp_path: Path) -> None:
    source = drawn(tmp_path, os.urandom(16 << 20))
    machines = [putting(source, tmp_path / f"home{n}") for n in range(2)]
    assert [machine.wait() for machine in machines] == [0, 0]
    assert list(store.objects().values()) == [16 << 20]


def test_killed_in_the_middle_of_a_put_there_is_nothing_and_the_next_put_works(
    store: ObjectStore, house: Path, tmp_path: Path
) -> None:
    source = tmp_path / "patch.mkv"
    with source.open("wb") as file:
        file.truncate(BIG)
    killed = putting(source, house)
    wait_for_the_middle(store)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    with source.open("rb") as file:
        row = Artifact(hashlib.file_digest(file, "sha256").hexdigest(), "patch", ".mkv", BIG)
    assert store.objects() == {} and not artifacts.holds(row)
    with pytest.raises(Missing, match="is not in s3://dub/artifacts"):
        artifacts.path(row.sha, ".mkv")
    assert artifacts.put(source, "patch", ".mkv").sha == row.sha
    assert store.objects() == {name_of(row): BIG} and artifacts.holds(row)
    assert artifacts.path(row.sha, ".mkv").stat().st_size == BIG


def test_a_half_object_that_lies_there_is_no_artifact_and_is_made_whole(store: ObjectStore, tmp_path: Path) -> None:
    kept = artifacts.put(drawn(tmp_path), "patch", ".mkv")
    store.client().pipe_file(object_of(kept), b"pic")
    assert not artifacts.holds(kept)
    with pytest.raises(Missing, match="damaged in s3://dub/artifacts"):
        artifacts.path(kept.sha, ".mkv")
    artifacts.put(drawn(tmp_path), "patch", ".mkv")
    assert artifacts.path(kept.sha, ".mkv").read_bytes() == b"picture"


def test_a_damaged_object_is_never_used(store: ObjectStore, house: Path, tmp_path: Path) -> None:
    kept = artifacts.put(drawn(tmp_path), "patch", ".mkv")
    store.client().pipe_file(object_of(kept), b"Picture")
    with pytest.raises(Missing, match="damaged"):
        artifacts.path(kept.sha, ".mkv")
    assert not [path for path in (house / "cache").rglob("*") if path.is_file()]


def every_deed(source: Path) -> Iterator[str]:
    """What each use of the store raises."""
    row = Artifact("0" * 64, "patch", ".mkv", 7)
    deeds: list[Callable[[], object]] = [
        lambda: artifacts.holds(row),
        lambda: artifacts.path(row.sha, row.suffix),
        lambda: artifacts.put(source, "patch", ".mkv"),
        lambda: artifacts.put_arrays("geometry", {"frames": np.arange(3)}),
    ]
    for deed in deeds:
        with pytest.raises(DublineError) as raised:
            deed()
        yield f"{type(raised.value).__name__}: {raised.value}"


def test_a_store_that_is_away_is_unreachable_within_seconds_and_works_when_it_is_back(
    store: ObjectStore, tmp_path: Path
) -> None:
    source = drawn(tmp_path)
    store.stop()
    try:
        began = time.monotonic()
        said = list(every_deed(source))
        assert time.monotonic() - began < 30
    finally:
        store.start()
    assert all(each.startswith("Unreachable: The object store s3://dub/artifacts does not answer") for each in said)
    assert artifacts.holds(artifacts.put(source, "patch", ".mkv"))


def test_a_store_that_breaks_off_in_the_middle_of_a_put_has_nothing(store: ObjectStore, tmp_path: Path) -> None:
    source = tmp_path / "patch.mkv"
    with source.open("wb") as file:
        file.truncate(BIG)

    def break_off() -> None:
        wait_for_the_middle(store)
        store.stop()

    breaking = threading.Thread(target=break_off)
    breaking.start()
    try:
        with pytest.raises(Unreachable, match="does not answer"):
            artifacts.put(source, "patch", ".mkv")
    finally:
        breaking.join()
        store.start()
    assert store.objects() == {}


def test_a_store_that_does_not_answer_any_more_is_given_up(
    store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from storage import store as opening

    patience = opening.OPTIONS["config_kwargs"]
    assert patience["retries"]["total_max_attempts"] * patience["read_timeout"] <= 30
    monkeypatch.setitem(opening.OPTIONS, "config_kwargs", patience | {"read_timeout": 1})
    store.freeze()
    try:
        with pytest.raises(Unreachable, match="does not answer"):
            artifacts.put(drawn(tmp_path), "patch", ".mkv")
    finally:
        store.stop()
        store.start()


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        pytest.param({"AWS_SECRET_ACCESS_KEY": "wrong"}, "refuses this machine", id="wrong-secret"),
        pytest.param({"AWS_ACCESS_KEY_ID": "nobody"}, "refuses this machine", id="wrong-key"),
        pytest.param({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "needs a key", id="no-key"),
        pytest.param({"DUBLINE_ARTIFACTS": "s3://nowhere/x"}, "there is no such bucket", id="no-bucket"),
        pytest.param({"AWS_ENDPOINT_URL": "127.0.0.1:1"}, "Look at AWS_ENDPOINT_URL", id="no-url"),
    ],
)
def test_what_trying_again_cannot_help_is_missing(
    store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], says: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name)
    settings.cache_clear()
    for said in every_deed(drawn(tmp_path)):
        assert said.startswith("Missing: The object store s3://") and says in said
        assert SECRET not in said and KEY not in said


def test_the_doctor_says_what_is_wrong_with_the_store(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor._artifacts().found == "s3://dub/artifacts"
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    forget_connections()
    monkeypatch.setattr("flows.doctor.CHECKS", (doctor._artifacts,))
    (check,) = doctor.examine()
    assert not check.ok and check.needed and "refuses this machine" in check.found


def test_a_store_whose_names_may_hold_halves_is_refused(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUBLINE_ARTIFACTS", "sftp://joe:secret@host/artifacts")
    settings.cache_clear()
    with pytest.raises(Refused, match="DUBLINE_ARTIFACTS is sftp://") as refused:
        artifacts.put_arrays("geometry", {"frames": np.arange(3)})
    assert "secret" not in str(refused.value)
