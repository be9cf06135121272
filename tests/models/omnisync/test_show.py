"""The sheet and the film of the evaluation."""

from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np

from models.omnisync.evaluate import show
from models.omnisync.evaluate.scene import Scene
from models.omnisync.evaluate.shot import View, Way
from tests.models.omnisync.test_measure import FRAMES, StandIn, Washed, scene, view


def clips(count: int) -> Iterator[tuple[Scene, View]]:
    return ((scene(), view()) for _ in range(count))


def test_a_sheet_has_three_rows_a_clip_from_shut_to_wide_open(tmp_path: Path) -> None:
    show.sheet(tmp_path / "sheet.png", clips(3), Way(StandIn()))
    sheet = np.asarray(cv2.imread(str(tmp_path / "sheet.png")))
    assert sheet.shape == (2 * 3 * show.SIDE, 2 * (show.LABEL + show.MOMENTS * show.SIDE), 3)
    mouths = sheet[: 3 * show.SIDE, show.LABEL : show.LABEL + show.MOMENTS * show.SIDE].astype(int)
    film, truth, drawn = np.split(mouths, 3)
    assert np.abs(film - drawn).mean() < 1, "the stand-in draws what was there"
    assert np.abs(film - truth).mean() > 1
    assert (sheet[3 * show.SIDE :, sheet.shape[1] // 2 :] > 248).all(), "a clip without a neighbour"


def test_a_film_is_as_long_as_its_clips_and_has_the_sound_of_the_dub(tmp_path: Path) -> None:
    show.film(tmp_path / "film.mp4", clips(2), Way(Washed()))
    with av.open(str(tmp_path / "film.mp4")) as film:
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    with av.open(str(tmp_path / "film.mp4")) as film:
        heard = np.concatenate([frame.to_ndarray()[0] for frame in film.decode(audio=0)])
    assert len(frames) == 2 * FRAMES and frames[0].shape == (512, 1024, 3)
    assert len(heard) >= 2 * FRAMES * 640 and np.abs(heard).max() > 0.05
    left, right = frames[5][:, :512].astype(int), frames[5][:, 512:].astype(int)
    assert np.abs(left - scene().film[5]).mean() < 6 and np.abs(left - right).max() > 20
