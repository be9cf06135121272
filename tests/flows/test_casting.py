"""Who is who: what a person says of faces and voices is kept, obeyed, told, and carried to the next episode."""

import json
from pathlib import Path
from typing import Any

import cv2
import pytest

from flows import casting, listing, who
from flows.progress import Lines
from storage.catalog import Side, binding, episode, event, take
from storage.catalog.binding import NOBODY
from storage.catalog.session import catalog
from storage.errors import Refused
from tests.flows.stage import Stage, set_up
from tests.flows.test_cli import call
from tests.flows.test_episode import ends_with, pictures, run, statuses

ANNA, BERT, CARL = 11, 22, 33  # faces


@pytest.fixture
def stage(house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Three shots of half a second; Anna and Bert stand beside each other in the second, Carl and Bert in the third.

    What lips say is not on trial here: nothing is measured, so only words bind anybody.
    """
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    stage = set_up(monkeypatch, tmp_path)
    monkeypatch.setattr("tasks.cast.meetings", lambda *_: [])
    stage.binds = stage.beside = True
    stage.looks = {(12, "f1"): ANNA, (12, "f2"): BERT, (24, "f1"): CARL, (24, "f2"): BERT}
    voices = [("A", "X", 550_000, 950_000), ("B", "Y", 1_050_000, 1_450_000)]
    stage.voices = [each for a, b, s, e in voices for each in ((Side.ORIGINAL, a, s, e), (Side.DUB, b, s, e))]
    return stage


def shown(name: str = "out") -> dict[str, Any]:
    with catalog() as session:
        return dict(who.table(session, episode.by_name(session, name)))


def owners(name: str = "out") -> dict[int, str]:
    found = shown(name)
    return {each["face"]: each["character"] for each in [*found["faces"], *found["unbound faces"]]}


def words(name: str = "out") -> dict[str, binding.Binding]:
    with catalog() as session:
        return binding.of(episode.by_name(session, name))


def said(*arguments: Any, **named: Any) -> tuple[dict[str, tuple[str, str]], str]:
    """Bind, obey; what became of which shots, and when it counts if that is not now."""
    obeyed, later = casting.anew(casting.bind("out", *arguments, **named), Lines())
    return {each.shot: (each.before, each.after) for each in obeyed.shots}, later


def drawn(stage: Stage) -> dict[str, int]:
    return {name: count for name, count in stage.computed.items() if name.startswith("render") and count}


def test_a_face_that_is_bound_is_drawn_in_all_its_shots_and_no_other_is_drawn_again(stage: Stage) -> None:
    run(stage)
    assert set(owners().values()) == {NOBODY} and not drawn(stage)
    assert said("A", "anna", "the tall one", faces=[1]) == ({"sh0020": ("passed-through", "waiting")}, "")
    assert owners() == {1: "A", 2: NOBODY, 3: NOBODY}
    (bound,) = shown()["faces"]
    assert bound["why"] == "anna said that face 1 is A's: the tall one" and bound["confidence"] == 1.0
    assert run(stage).whole and drawn(stage) == {"render 12": 1}
    assert said("B", "anna", faces=[3]) == ({"sh0030": ("passed-through", "waiting")}, "")
    assert run(stage).whole
    assert drawn(stage) == {"render 12": 1, "render 24": 1}
    assert (stage.computed["look"], stage.computed["listen"], stage.computed["cast"]) == (1, 1, 3)


def test_a_word_is_kept_by_what_the_face_is_known_by_and_told_of(stage: Stage) -> None:
    run(stage)
    said("A", "anna", "the tall one", faces=[2])
    (kept,) = words()["A"].faces
    assert (kept.shot, kept.track, len(kept.seen), max(kept.seen)) == ("sh0020", "f2", 128, 0.6)
    stage.looks = {(12, "f1"): CARL, (12, "f2"): ANNA, (24, "f1"): BERT, (24, "f2"): CARL}
    run(stage, mouths={"sh0020": (80, 60, None)})  # faces are looked for anew, and their numbers change
    assert owners() == {1: NOBODY, 2: NOBODY, 3: "A"} and not shown()["notes"]
    stage.looks = {(12, "f1"): CARL, (12, "f2"): ANNA, (24, "f1"): 44, (24, "f2"): CARL}
    run(stage, mouths={"sh0020": (80, 61, None)})
    note = "anna said that a face is A's, as in sh0020/f2: it is not found now"
    assert shown()["notes"] == [note] and note in listing.episode_status("out")["cast notes"]
    report = json.loads((stage.folder / "out.mkv.dubline" / "report.json").read_text())
    assert note in report["delivery"]["notes"]


def test_a_face_that_nothing_can_be_compared_with_is_found_by_its_place(stage: Stage) -> None:
    stage.looks = {}
    run(stage)
    said("A", "anna", faces=[2])
    run(stage, mouths={"sh0020": (80, 60, None)})
    assert [number for number, name in owners().items() if name == "A"] == [2]


def test_the_newer_word_takes_a_face_over_and_the_event_says_whose_it_was(stage: Stage) -> None:
    run(stage)
    said("A", "anna", faces=[2])
    changed, _ = said("B", "bert", "no, that is B", faces=[2])
    assert set(changed) == {"sh0020", "sh0030"} and owners()[2] == "B" and set(words()) == {"B"}
    with catalog() as session:
        assert event.verify_chain(session) is None
        told = [each for each in event.of_episode(session, 1) if each.what == "cast.bind"]
    assert [(each.who, each.about) for each in told] == [("anna", "A"), ("bert", "B")]
    assert told[1].before == {"said": {"A": {"by": "anna", "faces": ["sh0020/f2"]}, "B": {}}}
    assert told[1].after["said"]["B"] == {"by": "bert", "why": "no, that is B", "faces": ["sh0020/f2"]}
    assert told[1].after["reason"] == "no, that is B"


def test_what_is_taken_back_is_as_it_was_found_and_its_takes_are_found_again(stage: Stage) -> None:
    run(stage)
    before = pictures(stage.folder / "out.mkv")
    said("A", "anna", faces=[1])
    run(stage)
    painted = pictures(stage.folder / "out.mkv")
    obeyed, _ = casting.anew(casting.free("out", "anna", who="a"), Lines())
    assert [(each.shot, each.after) for each in obeyed.shots] == [("sh0020", "passed-through")] and not words()
    run(stage)
    assert pictures(stage.folder / "out.mkv") == before
    said("A", "anna", faces=[1])
    run(stage)
    assert stage.computed["render 12"] == 1 and pictures(stage.folder / "out.mkv") == painted


def test_an_extra_has_no_voice_until_that_is_taken_back(stage: Stage) -> None:
    run(stage)
    said("A", "anna", faces=[1, 2])
    obeyed, _ = casting.anew(casting.free("out", "anna", "an extra", faces=[2]), Lines())
    assert owners() == {1: "A", 2: NOBODY, 3: NOBODY} and len(words()["A"].faces) == 1
    assert {each.shot: each.reason for each in obeyed.shots} == dict.fromkeys(("sh0020", "sh0030"), "A → nobody")
    (row,) = [each for each in shown()["unbound faces"] if each["face"] == 2]
    assert row["why"] == "anna said that face 2 is nobody's: an extra"
    casting.free("out", "anna", who="nobody")
    assert set(words()) == {"A"}


def test_a_voice_gets_another_name_and_what_was_said_of_it_stays_with_it(stage: Stage) -> None:
    run(stage)
    said("A", "anna", faces=[1])
    changed, _ = said("Ännchen", "anna", original="A")
    assert changed == {"sh0020": ("waiting", "waiting")}
    assert [(each["character"], each["original"], each["dub"], each["bound by"]) for each in shown()["cast"]] == [
        ("Ännchen", "A", "X", "anna"), ("B", "B", "Y", "dubline"),
    ]  # fmt: skip
    assert owners()[1] == "Ännchen" and set(words()) == {"Ännchen"}


def test_a_dub_voice_that_is_given_away_is_spoken_by_nobody_else(stage: Stage) -> None:
    run(stage)
    said("A", "anna", faces=[1])
    run(stage)
    changed, _ = said("A", "anna", dub="Y")
    assert changed == {"sh0020": ("done", "waiting")}
    voices = [(each["character"], each["original"], each["dub"]) for each in shown()["cast"]]
    assert voices == [("A", "A", "Y"), ("B", "B", "nobody"), ("X (dub)", "nobody", "X")]
    lacking = [(each["side"], each["voice"], each["has"]) for each in shown()["unbound voices"]]
    assert ("original", "B", "no voice in the dub, no face") in lacking
    said("B", "anna", dub="X")
    assert [(each["character"], each["dub"]) for each in shown()["cast"]] == [("A", "Y"), ("B", "X")]
    assert run(stage).whole and stage.computed["render 12"] == 2


def test_a_name_that_moves_to_another_voice_takes_its_dub_and_its_faces_along(stage: Stage) -> None:
    run(stage)
    said("ANNA", "anna", original="A", dub="X", faces=[1])
    said("anna", "anna", original="B")
    assert words()["ANNA"].original == "B" and words()["ANNA"].dub == "X" and owners()[1] == "ANNA"
    voices = [(each["character"], each["original"], each["dub"]) for each in shown()["cast"]]
    assert voices == [("A", "A", "nobody"), ("ANNA", "B", "X"), ("Y (dub)", "nobody", "Y")]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["cast", "nothing"], "No episode is called 'nothing'", id="no-episode"),
        pytest.param(["cast", "bind", "out", "A", "--face", "9"], "no face 9. They are numbered 1 to 3", id="face"),
        pytest.param(["cast", "bind", "out", "A", "--original", "Z"], "has no voice 'Z'. There are A, B", id="voice"),
        pytest.param(["cast", "bind", "out", "A", "--dub", "A"], "The dub has no voice 'A'. There are X, Y", id="dub"),
        pytest.param(["cast", "bind", "out", "EVA", "--face", "1"], "A new name needs a voice", id="new-name"),
        pytest.param(["cast", "bind", "out", "A"], "Nothing was said of A", id="nothing-said"),
        pytest.param(["cast", "bind", "out", " ", "--face", "1"], "is no name", id="no-name"),
        pytest.param(["cast", "bind", "out", "Nobody", "--face", "1"], "cast free EPISODE --face N", id="nobody"),
        pytest.param(["cast", "free", "out", "A"], "Nobody has said anything about A", id="nothing-to-take-back"),
        pytest.param(["cast", "free", "out"], "one of both", id="free-of-nothing"),
        pytest.param(["cast", "free", "out", "--face", "9"], "no face 9", id="free-no-face"),
        pytest.param(["cast", "out", "--pictures", "faces.gif"], "a .jpg or a .png", id="no-picture"),
        pytest.param(["cast", "save", "out", "cast.txt"], "a cast is a .json file", id="no-json"),
    ],
)
def test_what_cannot_be_said_is_refused_and_leaves_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    run(stage)
    capsys.readouterr()
    assert call(monkeypatch, *arguments) == 2
    printed = capsys.readouterr()
    assert says in printed.err and printed.out == "" and not words()
    assert stage.computed["cast"] == 1


def test_of_an_episode_that_nobody_has_looked_at_nothing_can_be_said(stage: Stage) -> None:
    stage.trouble["cast"] = ends_with(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        run(stage)
    with pytest.raises(Refused, match="Nobody has asked yet who is who in 'out', which is running"):
        shown()


def test_without_the_film_a_word_is_kept_and_says_when_it_counts(stage: Stage) -> None:
    run(stage)
    stage.film.rename(stage.folder / "away.mkv")
    changed, later = said("A", "anna", faces=[1])
    assert not changed and "no file" in later and "counts when the episode is run again" in later
    assert owners()[1] == NOBODY and set(words()) == {"A"} and statuses()["sh0020"] == "passed-through"
    (stage.folder / "away.mkv").rename(stage.film)
    assert run(stage).whole and owners()[1] == "A" and stage.computed["render 12"] == 1


def test_an_episode_that_is_worked_on_is_left_alone_until_it_is_run_again(stage: Stage) -> None:
    run(stage)
    said("A", "anna", faces=[1])
    heard: list[str] = []
    stage.trouble["render 12"] = lambda: heard.append(said("A", "anna", faces=[3])[1])
    assert run(stage).whole and heard == ["'out' is being worked on: the word counts when it is run again"]
    assert owners()[3] == NOBODY
    run(stage)
    assert owners()[3] == "A"


def test_the_command_shows_the_cast_and_its_faces(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(stage)
    capsys.readouterr()
    assert call(monkeypatch, "cast", "bind", "out", "A", "--face", "2", "--why", "her", "--by", "eva") == 0
    printed = capsys.readouterr()
    assert "sh0020  passed-through  waiting" in printed.out and "nobody → A" in printed.out
    sheet = stage.folder / "faces.png"
    assert call(monkeypatch, "cast", "out", "--pictures", str(sheet), "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found == shown() and found["words"][0]["by"] == "eva"
    assert found["faces"] == [
        {
            "face": 2, "character": "A", "shots": 2, "frames": 24, "seconds": 1.0, "confidence": 1.0,
            "why": "eva said that face 2 is A's: her",
        }
    ]  # fmt: skip
    assert call(monkeypatch, "cast", "show", "out") == 0
    assert "unbound voices" in capsys.readouterr().out
    picture = cv2.imread(str(sheet))
    assert picture is not None
    for place, who_is in enumerate((BERT, ANNA, CARL)):  # those who are seen longest first
        assert picture[80, 8 + place * 158 + 75].tolist() == pytest.approx([2 * who_is] * 3, abs=1)
    assert call(monkeypatch, "cast", "out", "--pictures", str(stage.folder / "faces.jpg")) == 0


def test_the_word_may_be_carried_out_in_this_process(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    run(stage)
    assert call(monkeypatch, "cast", "bind", "out", "A", "--face", "1", "--here") == 0
    assert statuses()["sh0020"] == "done" and stage.computed["render 12"] == 1
    with catalog() as session:
        assert len(take.of_episode(session, 1)) == 1


def saved(stage: Stage) -> Path:
    """Where the cast goes of an episode in which Anna and Carl have voices, and Bert has none."""
    run(stage)
    said("ANNA", "eva", "she says so", original="A", faces=[1])
    casting.free("out", "eva", faces=[2])
    said("B", "eva", faces=[3])
    return stage.folder / "cast.json"


def test_a_cast_is_carried_to_the_next_episode(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = saved(stage)
    assert call(monkeypatch, "cast", "save", "out", str(file), "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [(each["character"], each["faces"]) for each in told["characters"]] == [("ANNA", 1), ("B", 1)]
    assert told["without a voice"] == 1
    kept = json.loads(file.read_text())
    assert kept["schema"] == 1 and kept["characters"][0]["by"] == "eva" and len(kept["nobody"][0]) == 128
    run(stage, name="next", cast=file)
    assert owners("next") == {1: NOBODY, 2: NOBODY, 3: "B"}  # nobody is called ANNA here, and she does not speak
    assert shown("next")["notes"] == ["face 1 is ANNA's in the cast of out, and does not speak in this one"]
    (carl,) = shown("next")["faces"]
    assert carl["why"] == "face 3 is B's in the cast of out"
    stage.voices = [(side, {"A": "Anna", "B": "C"}.get(voice, voice), a, b) for side, voice, a, b in stage.voices]
    run(stage, name="third", cast=file, speakers=(1, 9))
    assert owners("third")[1] == "Anna"
    computed = stage.computed.copy()
    run(stage, name="third", cast=file, speakers=(1, 9))
    assert stage.computed == computed
    file.write_text(json.dumps(kept | {"characters": []}))
    run(stage, name="third", cast=file, speakers=(1, 9))
    assert stage.computed["cast"] == computed["cast"] + 1 and stage.computed["look"] == computed["look"]


@pytest.mark.parametrize(
    ("bytes_", "says"),
    [
        pytest.param(b"RIFF\x00\xff", "it is no JSON", id="no-json"),
        pytest.param(b"[]", "no whole cast", id="a-list"),
        pytest.param(b'{"schema": 2}', "a cast of schema 2, and this Dubline reads schema 1", id="newer"),
        pytest.param(b'{"schema": 1, "episode": "e", "characters": [{"name": "A", "faces": [[1]]}]}',
                     "characters.0.faces.0", id="short-face"),
        pytest.param(b'{"schema": 1, "episode": "e", "characters": [{"name": "A"}, {"name": "A"}]}',
                     "has A more than once", id="twice"),
        pytest.param(None, "No such file", id="no-file"),
    ],
)  # fmt: skip
def test_a_cast_that_is_none_is_refused_before_anything(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], bytes_: bytes | None, says: str
) -> None:
    file = stage.folder / "cast.json"
    if bytes_ is not None:
        file.write_bytes(bytes_)
    film = [str(stage.film), str(stage.dub), "-o", str(stage.folder / "out.mkv")]
    assert call(monkeypatch, "dub", *film, "--cast", str(file)) == 2
    assert says in capsys.readouterr().err and not stage.computed
