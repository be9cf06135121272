"""What a person sees on the Prefect pages of an episode and of its shots: stills, decisions, how far it is.

A page is a Markdown artifact of the run. Pictures are in it as data, so the page asks no other server for them.
Deliberately not here: the report of the delivery (tasks/report.py), which needs no server at all.
"""

import base64
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from prefect.artifacts import create_markdown_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import ArtifactUpdate

from flows.delivery import Delivery, file_of
from flows.scene import Cue, Scene
from flows.scratch import scratch
from storage.catalog import Episode, Finding, Shot, ShotStatus, Take, character, finding, route, take, track
from storage.catalog.session import catalog
from tasks.stills import side_by_side, still_of

MARKS: Final = {ShotStatus.DONE: "✓", ShotStatus.FAILED: "✗", ShotStatus.HELD: "!", ShotStatus.RENDERING: "→"}
OPEN: Final = (ShotStatus.FAILED, ShotStatus.HELD)


def of_shot(scene: Scene, shot: Shot, faces: Sequence[Cue]) -> None:
    """The page section of one shot: before and after, who speaks, which model and why, the takes and their findings."""
    with catalog() as session:
        takes = [
            each for each in take.of_episode(session, shot.episode_id) if each.track_id in {t.id for t, _ in faces}
        ]
        findings = [f for f in finding.of_episode(session, shot.episode_id) if f.take_id in {each.id for each in takes}]
        name = session.get_one(Episode, shot.episode_id).name
    circled = [each for each in takes if each.circled] if shot.status == ShotStatus.DONE else []
    with scratch() as folder:
        still = still_of(scene.film, shot, circled, file_of(circled), folder)
        picture = base64.b64encode(side_by_side(still)).decode("ascii")
    shown = "before and after, the mouth below" if still.after else "as filmed"
    lines = [
        f"## {name} · {shot.name} · {_standing(shot)}",
        f"Frames {shot.start} to {shot.end - 1}; frame {still.frame} {shown}. {_cell(shot.reason)}",
        f"![{shown}](data:image/jpeg;base64,{picture})",
        "",
        "| face | character | model | take | ms a frame | why |",
        "|---|---|---|---|---|---|",
        *(_face(scene, cue, takes) for cue in faces),
        *(_finding(each) for each in findings),
    ]
    create_markdown_artifact("\n".join(lines), key=key(name, shot.name), description=f"{shot.name}: {_standing(shot)}")


class Watched:
    """The page of an episode while its shots are drawn; written when something has changed."""

    def __init__(self, row: Episode, run_of: Mapping[int, UUID]) -> None:
        self.row, self.run_of = row, run_of
        with catalog() as session:
            routes = {each.track_id: each for each in route.of_episode(session, row.id)}
            cast = {each.id: each.name for each in character.of_episode(session, row.id)}
            tracks = track.of_episode(session, row.id)
        self._chosen: dict[int, list[str]] = {}
        for each in tracks:
            if (chosen := routes.get(each.id)) is not None:
                who = cast.get(each.character_id or 0, "nobody")
                self._chosen.setdefault(each.shot_id, []).append(f"{who}: {chosen.model}, {chosen.reason}")
        self._seen: list[tuple[ShotStatus, str]] = []
        self._artifact: UUID | None = None

    def show(self, now: Mapping[int, Shot]) -> None:
        """now  the shots by id, as the catalog has them"""
        seen = [(each.status, each.reason) for each in now.values()]
        if seen == self._seen:
            return
        self._seen = seen
        count = Counter(each.status for each in now.values())
        said = "\n".join(
            [
                f"## {self.row.name}",
                ", ".join(f"{number} {status}" for status, number in sorted(count.items())),
                "",
                *(f"- {each.name} {each.status}: {_cell(each.reason)}" for each in now.values() if each.status in OPEN),
                "",
                "| shot | | frames | who, which model and why |",
                "|---|---|---|---|",
                *(self._line(each) for each in now.values()),
            ]
        )
        if self._artifact is None:
            made = create_markdown_artifact(said, key=key(self.row.name), description="its shots")
            assert isinstance(made, UUID)  # Prefect's functions are also coroutines, elsewhere
            self._artifact = made
        else:
            with get_client(sync_client=True) as client:
                client.update_artifact(self._artifact, ArtifactUpdate(data=said))

    def _line(self, shot: Shot) -> str:
        run = self.run_of.get(shot.id)
        name = f"[{shot.name}](/runs/flow-run/{run})" if run else shot.name
        why = "<br>".join(_cell(each) for each in self._chosen.get(shot.id, ["no face was found in it"]))
        return f"| {name} | {_standing(shot)} | {shot.start}–{shot.end - 1} | {why} |"


def of_delivery(delivery: Delivery) -> None:
    """The last page of an episode: what was delivered where, and which shots a person must look at."""
    lines = [
        f"## {delivery.episode}: {'delivered' if delivery.whole else 'delivered with open shots'}",
        f"- film: `{delivery.out}`, {delivery.changed} of {delivery.frames} frames changed",
        f"- report: `{delivery.report.with_name('index.html')}`",
        *(f"- {each['shot']} {each['status']}: {_cell(each['reason'])}" for each in delivery.open),
    ]
    create_markdown_artifact("\n".join(lines), key=key(delivery.episode, "delivery"), description="the delivery")


def key(*names: str) -> str:
    """What Prefect takes as an artifact's key: small letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", " ".join(names).lower()).strip("-")


def _face(scene: Scene, cue: Cue, takes: Sequence[Take]) -> str:
    face, chosen = cue
    found = scene.cast.get(face.character_id or 0)
    own = next((each for each in takes if each.track_id == face.id and each.circled), None)
    version, ms = (f"v{own.version:03d}", f"{own.microseconds_a_frame / 1000:.0f}") if own else ("none", "")
    who = found.name if found else "nobody"
    return f"| {face.name} | {_cell(who)} | {chosen.model} | {version} | {ms} | {_cell(chosen.reason)} |"


def _finding(one: Finding) -> str:
    target = f"target {one.target}" if one.target is not None else "no target"
    return f"- {one.meter}: {one.value:.3g} {one.unit}, {target}: {one.verdict}"


def _standing(shot: Shot) -> str:
    return f"{MARKS.get(shot.status, '·')} {shot.status}"


def _cell(text: str) -> str:
    return text.replace("|", "/").replace("\n", " ")
