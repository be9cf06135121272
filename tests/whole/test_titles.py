"""Films in which nobody can be dubbed: a plan results that says so, and nothing is drawn."""

import shutil
from fractions import Fraction
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import pytest
import soundfile

from storage.film.planes import Planes
from tests.media import shared
from tests.pairs import HZ, clip
from tests.shoot import PAL, draw_film, draw_sound, wrap
from tests.whole.studio import Studio

SECONDS: Final = Fraction(3)
SIZE: Final = (320, 180)


def titles(number: int) -> Planes:
    """White letters on black, others each second."""
    luma = np.full((SIZE[1], SIZE[0]), 16, np.uint8)
    for row, line in enumerate(("THE NIGHT TRAIN", f"part {number // 25 + 1}", "written by nobody")):
        cv2.putText(luma, line, (20, 60 + 35 * row), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 235, 2)
    grey = np.full((SIZE[1] // 2, SIZE[0] // 2), 128, np.uint8)
    return luma, grey, grey


def studio(folder: Path, spoken: bool) -> Studio:
    """Titles, while somebody is heard to speak, or a tone sounds."""
    pictures = draw_film(folder / "pictures.mkv", round(SECONDS * PAL), PAL, "ffv1", SIZE, draw=titles)
    if spoken:
        sound = np.pad(clip(shared("media/eval/grid_s31_bbai6n.mp4"))[1], (0, HZ))[: int(SECONDS * HZ)]
        soundfile.write(folder / "dub.wav", sound, HZ)
    else:
        draw_sound(folder / "dub.wav", SECONDS)
    film = wrap(
        ["-i", str(pictures), "-i", str(folder / "dub.wav"), "-c:v", "copy", "-c:a", "pcm_s16le"], folder / "film.mkv"
    )
    dub = shutil.copy(folder / "dub.wav", folder / "other.wav")
    return Studio(folder, film, Path(dub))


@pytest.mark.parametrize("spoken", [True, False], ids=["a-voice-over-titles", "a-tone-over-titles"])
def test_a_film_of_titles_has_a_plan_in_which_nobody_is_drawn(tmp_path: Path, spoken: bool) -> None:
    made = studio(tmp_path, spoken)
    found = made.json("plan", made.film, made.dub)
    assert found["status"] == "planned" and (found["changed"], found["drawn"], found["models"]) == (0, 0, [])
    assert {each["reason"] for each in found["plan"]} == {"no face was found in it"}
    assert set(found["shots"]) == {"passed-through"}
    assert [each["people"] for each in found["cast"]] == ([[]] if spoken else [])
