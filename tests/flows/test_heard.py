"""What listening has to say reaches the person: in the status, in the report, and its files in the catalog."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flows import listing
from flows.episode import dub
from flows.progress import Lines
from flows.tables import show
from storage import artifacts
from storage.catalog import Artifact
from storage.catalog.session import catalog
from tasks.listen import Heard
from tests.flows.stage import Stage, stand_in


class Spoken(Stage):
    """French dubbed into what may be German, by somebody the film does not know."""

    def listen(self, *given: Any, **named: Any) -> Heard:
        heard = super().listen(*given, **named)
        prints = artifacts.put_arrays("voice prints", {"dub B": np.zeros(192, np.float32)})
        heard.beside.append(prints)
        heard.notes.update(
            {"voice prints": prints.sha, "languages": {"original": "fr", "dub": "de?"}, "back_end": "networks",
             "voices of dub": "1 are heard, and 2–3 were asked for"}
        )  # fmt: skip
        return heard


def test_languages_and_what_was_unlike_the_order_are_told_and_prints_are_kept(
    house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = Spoken(tmp_path)
    stand_in(stage, monkeypatch.setattr)
    delivery = dub(stage.job(), Lines(io.StringIO()))
    facts = listing.episode_status("out")
    assert facts["languages"] == {"original": "fr", "dub": "de?"}
    told = ["languages: original fr, dub de?", "voices of dub: 1 are heard, and 2–3 were asked for"]
    assert facts["notes"] == told
    assert set(told) <= set(json.loads(delivery.report.read_text())["delivery"]["notes"])
    show(facts, as_json=False)
    assert "languages   fr original, de? dub" in capsys.readouterr().out
    with catalog() as session:
        assert [each.suffix for each in session.query(Artifact).where(Artifact.kind == "voice prints")] == [".npz"]
