"""Look: faces per frame, and one track for each face of each shot.

Promises: the film is decoded once, in order, whatever its length; nothing is followed over a cut; a frame in which a
face is not found has no row in the track's geometry.
Deliberately not here: whose face it is (tasks/cast.py), and characters that no face network knows.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Final

import numpy as np
from prefect import task
from prefect.cache_policies import NO_CACHE

from models.face import pose
from models.face.closeup import mouth_motion, style
from models.face.detect import Detector
from models.face.mesh import Mesh
from models.face.mouth import of_mesh
from models.face.track import Followed, Follower
from storage import artifacts
from storage.catalog import Artifact, Shot, Track
from storage.film.glance import glance, smaller
from storage.film.probe import Film
from storage.film.read import frames
from tasks.geometry import Geometry
from tasks.job import Place
from tasks.progress import OnProgress, unseen

FOREHEAD, CHIN = 10, 152  # of the mesh
STYLED: Final = 24  # frames of a track, spread over it, that say how it is drawn


@dataclass(frozen=True, eq=False)
class Looked:
    """What was seen: tracks shot by shot, each face's from left to right; its artifact beside each."""

    tracks: list[Track]
    geometries: list[Artifact]


def look_at(
    film: Film, shots: Sequence[Shot], on_progress: OnProgress = unseen, mouths: Mapping[str, Place] | None = None
) -> Looked:
    """Follow every face of every shot.

    shots        in the film's order, each beginning where the one before ends; stored, for a track names its shot by id
    on_progress  is told (frames looked at, frames to look at)
    raises       Refused if the film cannot be decoded
    """
    if any(before.end != after.start for before, after in pairwise(shots)):
        raise ValueError("the shots leave frames out or overlap")
    if unstored := [shot.name for shot in shots if shot.id is None]:
        raise ValueError(f"{', '.join(unstored)} must be stored before anyone looks at them")
    looked = Looked([], [])
    for shot, faces in follow_faces(film, shots, on_progress):
        for number, face in enumerate(faces, start=1):
            geometry = measure(face, smaller(film))
            artifact = artifacts.put_arrays("geometry", geometry.arrays())
            looked.geometries.append(artifact)
            looked.tracks.append(describe(shot, f"f{number}", geometry, artifact, style_of(face)))
    return looked


def follow_faces(film: Film, shots: Sequence[Shot], on_progress: OnProgress) -> Iterator[tuple[Shot, list[Followed]]]:
    """Each shot with its faces, in the pixels of `glance`."""
    detector, mesh = Detector(), Mesh()
    pictures = frames(film, shots[0].start, shots[-1].end) if shots else iter(())
    for shot in shots:
        follower = Follower(detector, mesh)
        for frame in islice(pictures, shot.end - shot.start):
            follower(frame.index, glance(frame.planes, film))
            on_progress(frame.index + 1 - shots[0].start, shots[-1].end - shots[0].start)
        yield shot, follower.faces


def measure(face: Followed, scale: float) -> Geometry:
    """The face's measures, in the film's own pixels: those it was found in, times `scale`."""
    sights = face.sights
    points = np.stack([sight.points for sight in sights]).astype(np.float32)  # (n, 468, 2)
    motion = [
        mouth_motion(before.close, after.close) if after.frame == before.frame + 1 else 0.0
        for before, after in pairwise(sights)
    ]
    return Geometry(
        frames=np.array([sight.frame for sight in sights], np.int32),
        box=np.stack([sight.box for sight in sights]).astype(np.float32) * np.float32(scale),
        points=points * np.float32(scale),
        mouth=of_mesh(points * np.float32(scale)),
        score=np.array([sight.presence for sight in sights], np.float32),
        opening=pose.opening(points),
        motion=np.array([0.0, *motion], np.float32),
        yaw=pose.yaw(points),
        pitch=pose.pitch(points),
        sharpness=np.array([sight.close.sharpness for sight in sights], np.float32),
    )


def style_of(face: Followed) -> str:
    """photoreal, stylised or uncertain, by frames spread evenly over the track."""
    sights = face.sights
    return style([sights[n].close for n in np.linspace(0, len(sights) - 1, min(STYLED, len(sights))).astype(int)])


def describe(shot: Shot, name: str, geometry: Geometry, artifact: Artifact, drawn: str) -> Track:
    """The track's row: what a person or a rule wants to know without opening the artifact."""
    height = np.linalg.norm(geometry.points[:, FOREHEAD] - geometry.points[:, CHIN], axis=1)
    return Track(
        shot_id=shot.id,
        name=name,
        start=int(geometry.frames[0]),
        end=int(geometry.frames[-1]) + 1,
        present=len(geometry.frames),
        geometry=artifact.sha,
        height_px=float(np.median(height)),
        yaw=float(np.median(np.abs(geometry.yaw))),
        sharpness=float(np.median(geometry.sharpness)),
        style=drawn,
    )


@task(cache_policy=NO_CACHE)
def look(
    film: Film, shots: Sequence[Shot], on_progress: OnProgress = unseen, mouths: Mapping[str, Place] | None = None
) -> Looked:
    return look_at(film, shots, on_progress, mouths)
