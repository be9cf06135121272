"""Photographed clips that look drawn, and Diff2Lip where nobody promised it a face."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from models import registry
from models.corpus.prepare import pictures, prepare
from models.diff2lip.window import CROP as AROUND_EYES
from models.face.detect import Detector
from models.face.mesh import Mesh
from models.face.mouth import of_mesh
from models.omnisync.evaluate import drawn_over, measure, tables
from models.omnisync.evaluate.forced import faces, force
from models.omnisync.evaluate.measure import CARTOON, FORCED, UNDUBBED, Meter
from models.omnisync.evaluate.shot import Dubbed, Frames, Seen, Way
from tests.media import shared
from tests.models.omnisync.test_measure import CROP, StandIn


def test_diff2lip_forced_onto_a_face_moves_its_mouth_and_leaves_the_rest_alone() -> None:
    film = np.stack(pictures(shared("media/eval/grid_s31_bbai7s.mp4"))[20:28])
    found = faces(film, Detector(), Mesh())
    assert len(found) == 1 and len(found[0].sights) == 8
    dubbed = force(registry.renderer("diff2lip", "tiny"), found[0], film, np.zeros(16000, np.float32))
    changed = (dubbed != film).any(axis=-1)
    assert changed.any(axis=(1, 2)).all() and changed.mean() < 0.2
    lips = found[0].sights[0].points[[13, 14]].mean(axis=0).astype(int)
    assert changed[0, lips[1] - 8 : lips[1] + 8, lips[0] - 8 : lips[0] + 8].mean() > 0.5
    assert not changed[0, : int(found[0].sights[0].points[33, 1])].any(), "nothing above the eyes"


def test_where_there_is_no_face_nothing_can_be_forced() -> None:
    grey = np.full((6, 120, 160, 3), 128, np.uint8)
    assert faces(grey, Detector(), Mesh()) == []


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    folder, found = tmp_path_factory.mktemp("clips"), {}
    for name in ("grid_s31_bbai7s", "grid_s33_bbac1s"):
        path = prepare(shared(f"media/eval/{name}.mp4"), folder, AROUND_EYES, Detector(), Mesh())
        assert path is not None
        found[name] = path
    yield found


def test_a_photographed_clip_that_nothing_was_drawn_on_keeps_its_own_mouth(
    clips: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the mesh still reads it under the drawing."""
    monkeypatch.setattr(drawn_over, "LOOKS", ("washed",))
    seen: list[Frames] = []

    def look(film: Frames) -> Seen:
        seen.append(film)
        middle = of_mesh(np.tile(np.random.default_rng(1).uniform(140, 180, (1, 468, 2)), (len(film), 1, 1)))
        return Seen(np.arange(len(film), dtype=np.int32), middle)

    def no_face(film: Frames) -> Dubbed | None:
        return None

    meter = Meter({"itself": Way(StandIn())}, CROP, look, no_face)
    said = list(measure.evaluate_filmed(tmp_path, clips, shared("media"), meter, (0, 2)))
    assert [line for _, _, line in said] == [f"grid_s31_bbai7s washed, {row}" for row in (UNDUBBED, FORCED, "itself")]
    rows = {row["row"]: row for row in measure.rows(tmp_path)}
    assert len(seen) == 1 and seen[0].shape[0] == 75
    assert {row["kind"] for row in rows.values()} == {CARTOON} and not rows[FORCED]["found"]
    assert rows["itself"]["leak"] == pytest.approx(1, abs=0.01) and rows["itself"]["outside"] > 50
    assert rows["itself"]["reads"] > 0.8
    assert not list(measure.evaluate_filmed(tmp_path, clips, shared("media"), meter, (0, 2)))
    page = tables.markdown(list(rows.values()))
    assert page[0] == "### Photographed, drawn over"
    assert any(line.startswith("| itself | washed | 1 | 1/1 (100 %) |") for line in page)


def test_a_clip_without_its_film_says_so(clips: dict[str, Path], tmp_path: Path) -> None:
    meter = Meter({"itself": Way(StandIn())}, CROP, lambda film: None, None)
    with pytest.raises(FileNotFoundError, match="give the films"):
        list(measure.evaluate_filmed(tmp_path, clips, tmp_path, meter))
