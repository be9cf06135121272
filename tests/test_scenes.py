"""What tests/scenes promises of its films, on a short one of a photographed speaker and a puppet."""

import itertools
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import numpy as np
import pytest

from storage.film.probe import probe
from tests.media import shared
from tests.scenes import Plot, Truth, make, people, script, stems
from tests.scenes.people import HZ, Person, Seat, Wave

PLOT = Plot(
    (Person("s30", "s30", "s31"), Person("cat", "s2", "s33", ("cat", "outline", 3))), None, 1, Fraction(24000, 1001)
)


@cache
def media() -> Path:
    return shared("media")


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Truth]:
    """A film of the kinds in which one speaks, one listens and both do."""
    with pytest.MonkeyPatch.context() as few:
        few.setattr(script, "KINDS", {name: script.KINDS[name] for name in ("off_screen", "overlap")})
        return make(tmp_path_factory.mktemp("scenes"), "short", media(), PLOT)


def heard(path: Path) -> Wave:
    with av.open(str(path)) as file:
        sound = np.concatenate([frame.to_ndarray()[0] for frame in file.decode(audio=0)])
    return np.asarray(sound / 32768, np.float32)


def test_the_truth_has_as_many_frames_as_the_film(shot: tuple[Path, Path, Truth]) -> None:
    film, dub, truth = shot
    with av.open(str(film)) as file:
        assert sum(1 for _ in file.decode(video=0)) == truth.frames == probe(film).frames
    assert probe(film).rate == truth.rate == Fraction(24000, 1001)
    assert abs(len(heard(dub)) / HZ - truth.frames / truth.rate) < 0.001
    assert [shot.start for shot in truth.shots[1:]] == [shot.end for shot in truth.shots[:-1]]
    assert truth.shots[0].start == 0 and truth.shots[-1].end == truth.frames
    for face in truth.faces:
        here = truth.shots[face.shot]
        assert (here.start, here.end) == (face.start, face.end)
        assert len(face.box) == len(face.mouth) == face.end - face.start


def test_there_is_sound_where_somebody_speaks_and_next_to_none_elsewhere(shot: tuple[Path, Path, Truth]) -> None:
    film, dub, truth = shot
    for path, said in ((film, truth.original), (dub, truth.dub)):
        sound = heard(path)
        speech = np.zeros(len(sound), bool)
        for one in said:
            turn = slice(one.start_us * HZ // 1_000_000, one.end_us * HZ // 1_000_000)
            speech[turn] = True
            assert np.sqrt(np.mean(sound[turn] ** 2)) > 0.02, one
        assert np.sqrt(np.mean(sound[~speech] ** 2)) < 0.01


def test_who_only_listens_speaks_in_no_frame_and_who_speaks_does(shot: tuple[Path, Path, Truth]) -> None:
    truth = shot[2]
    assert {face.does for face in truth.faces} == {"speaks", "listens"}
    for face in truth.faces:
        spoken = truth.spoken(face.who, truth.original)[face.start : face.end]
        assert spoken.any() == (face.does == "speaks"), face.who


def test_all_named_films_have_their_kinds_and_ten_minutes_together() -> None:
    clips = people.speakers(media() / "eval", media() / "train")
    seconds, kinds = Fraction(0), set()
    for name, plot in script.PLOTS.items():
        written = script.write(name, clips)
        seconds += written.frame / plot.rate
        kinds |= {kind for each in written.shots for kind in each.kinds}
        for each in written.shots:
            for seat in each.seats:
                own = [line for line in written.lines if line.who == seat.who and each.start <= line.at < each.end]
                assert len(own) <= 1, "a second line would make the picture jump"
                assert not own or (seat.clip, seat.at) == (own[0].clip, own[0].at), "who is heard is seen to say it"
    assert seconds >= 600
    assert kinds == {*script.KINDS, script.AGAIN}


def test_the_same_name_is_the_same_film(shot: tuple[Path, Path, Truth], tmp_path: Path) -> None:
    film, dub, truth = shot
    clips = people.speakers(media() / "eval", media() / "train")
    for name in script.PLOTS:
        one, other = script.write(name, clips), script.write(name, clips)
        assert one.shots == other.shots and one.lines == other.lines
    with pytest.MonkeyPatch.context() as few:
        few.setattr(script, "KINDS", {name: script.KINDS[name] for name in ("off_screen", "overlap")})
        again, dubbed, same = make(tmp_path, "short", media(), PLOT)
        dry = stems(tmp_path, "short", media(), PLOT)
    assert dubbed.read_bytes() == dub.read_bytes()
    assert (same.original, same.dub, same.shots) == (truth.original, truth.dub, truth.shots)
    pictures = []
    for path in (film, again):
        with av.open(str(path)) as file:
            pictures.append([frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)][::20])
    assert np.array_equal(pictures[0], pictures[1])
    assert dry.keys() == {one.who for one in truth.dub}


@pytest.mark.parametrize("rate", [Fraction(25), Fraction(24000, 1001)], ids=["25", "23.976"])
def test_a_mouth_runs_with_its_sound_and_never_jumps(rate: Fraction) -> None:
    clip = people.speakers(media() / "eval")["s31"][0]
    seat = Seat(Person("s31", "s31", "s33"), "speaks", clip, 40)
    numbers = [people.shown(seat, frame, rate) for frame in range(0, 160)]
    before, after = people.resting(clip)
    for frame, number in enumerate(numbers):
        seconds = (frame + Fraction(1, 2) - 40) / rate
        if seconds >= 0 and number < after[0] and seconds < after[0] / people.CLIP_RATE:
            assert abs(number - seconds * people.CLIP_RATE) <= 1, frame
        elif seconds < 0:
            assert number < before[1], frame
        else:
            assert number >= after[0] - 1, frame
    assert max(abs(a - b) for a, b in itertools.pairwise(numbers)) <= (1 if rate == 25 else 2)
    alone = Seat(seat.who, "listens", clip, None)
    assert not {people.shown(alone, frame, rate) for frame in range(160)} & set(range(before[1], after[0]))
