"""Look: faces per frame, and one track for each face of each shot.

Promises: the film is decoded once, in order, whatever its length; nothing is followed over a cut; a frame in which a
face is not found has no row in the track's geometry. Photographed people are followed by a mesh, drawn characters by
their mouths, whatever they are; where neither finds anything, a person may point at a mouth.
Deliberately not here: whose face it is (tasks/cast.py), which of two tracks on one face is kept (tasks/faces.py).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray
from prefect import task
from prefect.cache_policies import NO_CACHE

from models.face import drawn, drawn_typed, identity, track
from models.face.closeup import style
from models.face.detect import Detector
from models.face.drawn_look import Finder
from models.face.mesh import Mesh
from models.lr_asd import watch
from models.lr_asd.network import EMBEDDING
from storage import artifacts
from storage.catalog import Artifact, Shot, Track
from storage.errors import Refused
from storage.film.glance import glance, smaller
from storage.film.probe import Film
from storage.film.read import frames
from tasks.faces import Face, faces_of
from tasks.job import Place
from tasks.likeness import Gallery, likeness_of, network
from tasks.progress import OnProgress, unseen

RARELY: Final = 12  # frames between two looks for drawn mouths where photographed people are seen


@dataclass(frozen=True, eq=False)
class Looked:
    """What was seen: tracks shot by shot, each face's from left to right."""

    tracks: list[Track]
    kept: list[Artifact]  # each track's geometry, and its likeness after it


def look_at(
    film: Film, shots: Sequence[Shot], on_progress: OnProgress = unseen, mouths: Mapping[str, Place] | None = None
) -> Looked:
    """Follow every face of every shot.

    shots        in the film's order, each beginning where the one before ends; stored, for a track names its shot by id
    on_progress  is told (frames looked at, frames to look at)
    mouths       by a shot's name: where somebody has pointed at a mouth in its first frame. That face is followed
                 beside the others, and in place of any that was found there
    raises       Refused if the film cannot be decoded, or a mouth is pointed at in a shot that is not there; Missing if
                 a network's file is not the one that is known
    """
    if any(before.end != after.start for before, after in pairwise(shots)):
        raise ValueError("the shots leave frames out or overlap")
    if unstored := [shot.name for shot in shots if shot.id is None]:
        raise ValueError(f"{', '.join(unstored)} must be stored before anyone looks at them")
    places = mouths or {}
    check(places, shots)
    looked = Looked([], [])
    known, watcher = network(identity.find), network(watch.find)
    for shot, faces, gallery in follow_faces(film, shots, on_progress, places):
        for number, face in enumerate(faces, start=1):
            likeness = likeness_of(face, gallery.of(face, smaller(film)), known, watched(face, watcher))
            geometry = artifacts.put_arrays("geometry", face.geometry.arrays())
            known_by = artifacts.put_arrays("likeness", likeness.arrays())
            looked.kept.extend((geometry, known_by))
            looked.tracks.append(describe(shot, f"f{number}", face, geometry, known_by))
    return looked


def watched(face: Face, watcher: watch.Watcher | None) -> NDArray[np.float16]:
    """(n, 128) what LR-ASD's eye sees of a face, each run of its frames for itself; (0, 128) without it or a mesh."""
    if watcher is None or not len(face.small):
        return np.zeros((0, EMBEDDING), np.float16)
    starts = np.flatnonzero(np.diff(face.geometry.frames) > 1) + 1
    return np.concatenate([watcher.see(run) for run in np.split(face.small, starts)])


def check(places: Mapping[str, Place], shots: Sequence[Shot]) -> None:
    """Refuse what cannot be meant, before an hour is spent on looking. (Places in the picture are tasks/ingest's.)"""
    names = [shot.name for shot in shots]
    if unknown := sorted(places.keys() - set(names)):
        have = f"this film has {names[0]} to {names[-1]}" if names else "this film has no shots"
        raise Refused(f"There is no shot {', '.join(unknown)} in which a mouth could be pointed at: {have}.")


def follow_faces(
    film: Film, shots: Sequence[Shot], on_progress: OnProgress, places: Mapping[str, Place]
) -> Iterator[tuple[Shot, list[Face], Gallery]]:
    """Each shot with its faces, and the pictures that were taken of them."""
    detector, mesh, finder = Detector(), Mesh(), Finder()
    scale = smaller(film)
    pictures = frames(film, shots[0].start, shots[-1].end) if shots else iter(())
    for shot in shots:
        meshes = track.Follower(detector, mesh)
        mouths: drawn.Follower | None = None
        typed, gallery = None, Gallery()
        if shot.name in places:
            x, y, half = places[shot.name]
            typed = drawn_typed.Typed(finder, x / scale, y / scale, half and half / scale)
        for frame in islice(pictures, shot.end - shot.start):
            picture = glance(frame.planes, film)
            meshes(frame.index, picture)
            if mouths is None:
                filmed = any(style([face.sights[-1].close]) == "photoreal" for face in meshes.known)
                mouths = drawn.Follower(finder, RARELY if filmed else drawn.LOOK_EVERY)
            mouths(frame.index, picture)
            gallery(frame.index, picture, meshes.known, mouths.known)
            if typed is not None:
                typed(frame.index, picture)
            on_progress(frame.index + 1 - shots[0].start, shots[-1].end - shots[0].start)
        faces = faces_of(meshes.faces, mouths.faces if mouths else [], typed.face if typed else None, scale)
        yield shot, faces, gallery


def describe(shot: Shot, name: str, face: Face, artifact: Artifact, likeness: Artifact) -> Track:
    """The track's row: what a person or a rule wants to know without opening the artifact."""
    geometry = face.geometry
    return Track(
        shot_id=shot.id,
        name=name,
        start=int(geometry.frames[0]),
        end=int(geometry.frames[-1]) + 1,
        present=len(geometry.frames),
        geometry=artifact.sha,
        height_px=face.height,
        yaw=float(np.median(np.abs(geometry.yaw))),
        sharpness=float(np.median(geometry.sharpness)),
        style=face.style,
        likeness=likeness.sha,
        pitch=float(np.median(geometry.pitch)),
    )


@task(cache_policy=NO_CACHE)
def look(
    film: Film, shots: Sequence[Shot], on_progress: OnProgress = unseen, mouths: Mapping[str, Place] | None = None
) -> Looked:
    return look_at(film, shots, on_progress, mouths)
