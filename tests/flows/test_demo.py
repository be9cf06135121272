"""The demo's script and pictures, before anything is dubbed."""

from fractions import Fraction

import numpy as np

from flows.demo import pictures
from flows.demo.script import HZ, RATE, SCENES
from flows.demo.voices import DUB_PITCH, PITCH, speak
from models.face.detect import Detector
from models.face.mesh import PRESENT, Mesh, roi


def test_the_film_is_short_and_every_line_fits_its_scene() -> None:
    assert sum(scene.frames for scene in SCENES) / RATE < 30
    for scene in (scene for scene in SCENES if scene.line):
        room = (scene.frames - scene.lead) / RATE
        for text, pitch in ((scene.line, PITCH[scene.voice]), (scene.dubbed, DUB_PITCH[scene.voice])):
            assert len(speak(text, pitch)) / HZ < room, text


def test_the_robot_talks_and_no_face_is_found_in_it() -> None:
    voice = np.sin(2 * np.pi * 600 * np.arange(4 * HZ) / HZ).astype(np.float32)
    voice[: 2 * HZ] = 0
    shots = list(pictures.drawn_robot(8, voice, Fraction(2)))
    detector, mesh = Detector(), Mesh()
    found = [mesh(shot, roi(hit))[1] for shot in shots for hit in detector(shot)]
    assert max(found, default=0.0) < PRESENT
    assert (shots[2] != shots[6]).any()
