"""The command: what it prints, what it ends with, and that it starts at once."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

import flows.cli
from flows import tables
from flows.cli import app, main
from flows.doctor import Check, facts
from storage.catalog import ShotStatus, moves, take
from storage.catalog.session import catalog
from storage.settings import settings
from tests.storage.drawn_rows import add_episode, add_shot, add_track, draw_take


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["dubline", *arguments])
    monkeypatch.setattr(os, "environ", dict(os.environ))
    settings.cache_clear()
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.fixture
def an_episode(house: Path) -> Path:
    with catalog() as session:
        row = add_episode(session, "night-train")
        first, second = add_shot(session, row), add_shot(session, row, "sh0020", 50, 100)
        drawn = draw_take(add_track(session, first))
        session.add(drawn)
        take.circle(session, drawn)
        moves.move(session, second, ShotStatus.HELD, "two faces, one voice", by="anna")
    return house


def test_help_needs_nothing_heavy() -> None:
    heavy = "{'torch', 'prefect', 'pyannote', 'sqlalchemy', 'cv2'}"
    look = f"import sys, flows.cli; sys.exit(' '.join({heavy} & set(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=False)
    assert said.stderr.strip() == ""


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        pytest.param(["dub"], 2, "Missing argument 'FILM'", id="no-film"),
        pytest.param(["dub", "a", "b", "-o", "c", "--seed", "x"], 2, "--seed", id="no-number"),
        pytest.param(["dub", "a.mov", "b.wav", "-o", "a.mov"], 2, "inputs are never written to", id="over-the-film"),
        pytest.param(["dub", "a", "b", "-o", "c", "--deliver", "gif"], 2, "'same', 'ffv1' or 'prores'", id="no-codec"),
        pytest.param(["dub", "a", "b", "-o", "c", "--stem", "Anna"], 2, "--stem Anna=anna.wav", id="stem-without-file"),
        pytest.param(
            ["dub", "a", "b", "-o", "c", "--voices", "ep.srt"], 2, "original=ep1.rttm", id="voices-of-no-sound"
        ),
        pytest.param(["dub", "a", "b", "-o", "c", "--speakers", "few"], 2, "two like 2-4", id="speakers-in-words"),
        pytest.param(["dub", "a", "b", "-o", "c", "--speakers", "4-2"], 2, "cannot both be", id="speakers-turned"),
        pytest.param(
            ["dub", "a", "b", "-o", "c", "--speakers", "0"], 2, "greater than or equal to 1", id="no-speakers"
        ),
        pytest.param(["dub", "a", "b", "-o", "c", "--name", "a/b"], 2, "name:", id="name-with-a-slash"),
        pytest.param(["dub", "a", "b", "-o", "c", "--model", "magic"], 2, "no model 'magic'", id="no-such-model"),
        pytest.param(
            ["dub", "a", "b", "-o", "c", "--mouth", "sh0030"], 2, "like --mouth sh0030=480,320", id="no-place"
        ),
        pytest.param(["dub", "a", "b", "-o", "c", "--mouth", "=4,3"], 2, "--mouth =4,3: give the shot", id="no-shot"),
        pytest.param(["dub", "a", "b", "-o", "c", "--mouth", "s=1"], 2, "--mouth s=1: give", id="one-number"),
        pytest.param(["dub", "a", "b", "-o", "c", "--mouth", "s=1,2,3,4"], 2, "--mouth s=1,2,3,4", id="four-numbers"),
        pytest.param(["dub", "a", "b", "-o", "c", "--mouth", "s=1,2,-3"], 2, "greater than 0", id="half-below-nothing"),
        pytest.param(["dub", "a", "b", "-o", "c", "--mouth", "s=nan,2"], 2, "finite number", id="no-number-at-all"),
        pytest.param(
            ["dub", "a", "b", "-o", "c", "--mouth", "s=1,2", "--mouth", "s=3,4"], 2, "s is given twice", id="two-mouths"
        ),
        pytest.param(
            ["dub", "a", "b", "-o", "c", "--prompt", "loud"], 2, "No model knows the prompt 'loud'", id="prompt"
        ),
        pytest.param(["dub", "a", "b"], 2, "Missing option '-o' / '--out'", id="nowhere-to-deliver"),
        pytest.param(["plan", "a"], 2, "Missing argument 'DUB'", id="plan-without-a-dub"),
        pytest.param(["plan", "a", "b", "--model", "magic"], 2, "no model 'magic'", id="plan-no-such-model"),
        pytest.param(["plan", "a", "b"], 2, "no file", id="plan-no-film"),
        pytest.param(["shots", "ep01"], 2, "No episode is called 'ep01'", id="no-such-episode"),
        pytest.param(["show", "ep01", "sh0010"], 2, "The catalog is empty", id="no-such-shot"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(
    house: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int,
    says: str,
) -> None:  # fmt: skip
    assert call(monkeypatch, *arguments) == code
    said = capsys.readouterr()
    assert says in said.err and "Traceback" not in said.err and said.out == ""


def test_a_misspelt_setting_is_refused_before_anything(
    house: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DUBLINE_TREADS", "4")
    assert call(monkeypatch, "status") == 2
    assert "Did you mean DUBLINE_THREADS?" in capsys.readouterr().err and not house.exists()


def test_debug_shows_where_a_message_comes_from(
    house: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "--debug", "shots", "ep01") == 2
    assert "Traceback" in capsys.readouterr().err


def test_a_bug_has_its_own_exit_code_and_its_traceback(
    house: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("flows.listing.episodes", lambda: 1 / 0)
    assert call(monkeypatch, "status") == 70
    said = capsys.readouterr().err
    assert "ZeroDivisionError" in said and "a bug of ours" in said


def test_listings_say_the_same_to_people_and_to_programs(
    an_episode: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "status") == 0
    assert "night-train" in capsys.readouterr().out
    assert call(monkeypatch, "shots", "night-train", "--json") == 0
    shots = json.loads(capsys.readouterr().out)
    assert [(each["shot"], each["start"], each["end"], each["status"]) for each in shots] == [
        ("sh0010", 0, 50, "planned"), ("sh0020", 50, 100, "held"),
    ]  # fmt: skip
    assert call(monkeypatch, "show", "night-train", "sh0020") == 0
    told = capsys.readouterr().out
    assert "two faces, one voice" in told and "anna" in told and "shot.held" in told
    assert call(monkeypatch, "show", "night-train", "sh0010", "--json") == 0
    (drawn,) = json.loads(capsys.readouterr().out)["takes"]
    assert (drawn["take"], drawn["circled"], drawn["placements"]) == ("f1/v001", True, [[0, 10, 20]])
    assert call(monkeypatch, "status", "night-train", "--json") == 0
    assert json.loads(capsys.readouterr().out)["shots"] == {"planned": 1, "held": 1}


def test_an_empty_catalog_says_how_to_begin(
    house: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "status") == 0
    assert "dubline dub FILM DUB" in capsys.readouterr().err


def test_doctor_ends_with_3_only_for_what_is_needed(
    house: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gpu = Check("gpu", ok=False, needed=False, found="none", do="buy one")
    monkeypatch.setattr("flows.doctor.CHECKS", [lambda: gpu])
    assert call(monkeypatch, "doctor") == 0
    assert "buy one" in capsys.readouterr().out
    ffmpeg = Check("ffmpeg", ok=False, needed=True, found="nowhere", do="install it")
    monkeypatch.setattr("flows.doctor.CHECKS", [lambda: gpu, lambda: ffmpeg])
    assert call(monkeypatch, "doctor", "--json") == 3
    assert [each["state"] for each in json.loads(capsys.readouterr().out)] == ["absent", "missing"]


def test_doctor_says_what_is_wrong_in_a_studios_table_of_rules(
    house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "route.toml").write_text(
        '[[choice]]\nwhen = { yaw = { beyond = 4 } }\nmodel = "diff2lip"\nsay = "a face"'
    )
    monkeypatch.setenv("DUBLINE_ROUTES", str(tmp_path / "route.toml"))
    assert call(monkeypatch, "doctor") == 3
    assert "yaw cannot be compared by 'beyond'; there are under, over" in capsys.readouterr().out


def test_doctor_touches_nothing(house: Path) -> None:
    from flows.doctor import examine

    assert {each["check"] for each in facts(examine())} >= {"python", "ffmpeg", "opencv", "catalog", "disk"}
    assert not house.exists()


def test_tables_are_as_wide_as_what_they_hold(capsys: pytest.CaptureFixture[str]) -> None:
    tables.show([{"shot": "sh0010", "sure": 0.5}, {"shot": "s", "sure": 1.0}], as_json=False)
    assert capsys.readouterr().out == "shot    sure\nsh0010  0.50\ns       1.00\n"


def test_every_command_and_option_is_in_the_manual() -> None:
    manual = (Path(flows.cli.__file__).parents[1] / "docs" / "MANUAL.md").read_text()
    found = dict(commands("dubline", typer.main.get_command(app)))
    assert {"dubline dub", "dubline train diff2lip", "dubline evaluate diff2lip"} <= found.keys()
    for name, command in found.items():
        assert f"\n### {name}" in manual, f"{name} is not in docs/MANUAL.md"
        assert command.help, f"{name} has no help"
        section = manual.split(f"\n### {name}", 1)[1].split("\n### ", 1)[0]
        shown = [parameter for parameter in command.params if not getattr(parameter, "hidden", False)]
        for option in (option for parameter in shown for option in parameter.opts if option.startswith("--")):
            assert option in section or option == "--help", f"{option} of {name} is not in docs/MANUAL.md"


def commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Those that do something, with their full names."""
    inner = getattr(command, "commands", {})
    for each, below in inner.items():
        yield from commands(f"{name} {each}", below)
    if not inner:
        yield name, command
