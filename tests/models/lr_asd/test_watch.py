"""LR-ASD at work: what is kept of a face does not depend on how it was cut up, and tells who talks."""

from pathlib import Path

import av
import numpy as np
import pytest

from models.face.detect import Detector
from models.face.mesh import Mesh
from models.face.track import Follower
from models.known import Unusable
from models.lr_asd import watch
from tests.media import shared
from tests.pairs import clip


@pytest.fixture(scope="module")
def watcher() -> watch.Watcher:
    shared("weights/lr_asd/finetuning_TalkSet.model")
    found = watch.find(shared("weights"))
    assert found is not None
    return found


def test_a_long_face_is_seen_in_pieces_as_if_at_once(watcher: watch.Watcher, monkeypatch: pytest.MonkeyPatch) -> None:
    faces = np.random.default_rng(7).integers(-90, 90, (100, 48, 48)).astype(np.int8)
    pieces = watcher.see(faces)
    monkeypatch.setattr(watch, "CHUNK", 1000)
    assert pieces.shape == (100, 128) and np.allclose(pieces, watcher.see(faces), atol=2e-2)


def test_it_tells_who_talks_from_who_holds_still_while_somebody_does(watcher: watch.Watcher) -> None:
    path = shared("media/eval/grid_s31_bbai6n.mp4")
    follower = Follower(Detector(), Mesh())
    with av.open(str(path)) as file:
        for number, frame in enumerate(file.decode(video=0)):
            follower(number, np.asarray(frame.to_ndarray(format="rgb24"), np.uint8))
    small = np.stack([sight.close.small for sight in follower.faces[0].sights])
    sound = clip(path)[1]
    talks, rests = (watcher.says(watcher.see(each), sound, 25.0) for each in (small, np.repeat(small[:1], 75, axis=0)))
    assert talks.shape == rests.shape == (75,)
    assert np.median(talks[20:60]) > 1 > 0 > np.median(rests[20:60])


def test_a_film_of_another_rate_has_a_word_for_each_of_its_frames(watcher: watch.Watcher) -> None:
    eye = np.zeros((48, 128), np.float16)
    sound = np.random.default_rng(3).normal(0, 0.1, 16_000).astype(np.float32)  # shorter than the frames
    for rate in (23.976, 25.0, 30.0, 50.0):
        assert np.isfinite(watcher.says(eye, sound, rate)).all() and len(watcher.says(eye, sound, rate)) == 48


def test_without_the_file_there_is_no_watcher_and_another_file_is_not_read(tmp_path: Path) -> None:
    assert watch.find(tmp_path) is None
    wrong = tmp_path / watch.FILE.name
    wrong.parent.mkdir(parents=True)
    wrong.write_bytes(b"code")
    with pytest.raises(Unusable, match="has sha256"):
        watch.find(tmp_path)
