"""Which tracks show one person: faces known again over the whole episode.

Promises: two faces that are seen at once are two persons; numbers go by first appearance, so the same film gives the
same numbers. A face that cannot be compared, for nothing was installed to compare it with, is a person of its own.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from storage.catalog import Track
from tasks.likeness import Likeness

FILMED: Final = 0.52  # between two descriptors: clips of one GRID speaker are 0.51 apart at most, two speakers 0.54
DRAWN: Final = 0.35  # share of the colours that two pictures of one drawn head may differ in
APART: Final = 9.0  # of what can be no one person

Floats = NDArray[np.float32]


def number(tracks: Sequence[Track], likenesses: Sequence[Likeness | None]) -> list[int]:
    """The person of each track: 1, 2, … in the order they are first seen."""
    if len(tracks) < 2:
        return [1] * len(tracks)
    away = distances(tracks, likenesses)
    for shot in {track.shot_id for track in tracks}:
        here = [n for n, track in enumerate(tracks) if track.shot_id == shot]
        for a in here:
            for b in here:
                if a != b and min(tracks[a].end, tracks[b].end) > max(tracks[a].start, tracks[b].start):
                    away[a, b] = APART
    np.fill_diagonal(away, 0)
    clusters = fcluster(linkage(squareform(away, checks=False), "average"), 1.0, "distance")
    first = {cluster: n for n, cluster in reversed(list(enumerate(clusters)))}
    order = {cluster: place for place, cluster in enumerate(sorted(first, key=lambda c: first[c]), start=1)}
    return [order[cluster] for cluster in clusters]


def distances(tracks: Sequence[Track], likenesses: Sequence[Likeness | None]) -> NDArray[np.float64]:
    """(n, n) how far apart two tracks are: under 1 they may be one person.

    Photographed faces by their descriptors; drawn heads by their colours, and if both have descriptors by the mean of
    the two. A photographed face and a drawn one are two persons.
    """
    count = len(tracks)
    away = np.full((count, count), APART)
    known = [(n, one) for n, one in enumerate(likenesses) if one is not None and one.colours.any()]
    drawn = np.array([track.style == "stylised" for track in tracks], bool)
    meshed = [n for n, one in known if len(one.faces)]
    if meshed:
        both = np.ix_(meshed, meshed)
        by_face = _between([one.faces for _, one in known if len(one.faces)]) / FILMED
        away[both] = np.where(drawn[meshed][:, None] == drawn[meshed], by_face, APART)
    heads = [n for n, _ in known if drawn[n]]
    if heads:
        both = np.ix_(heads, heads)
        seen = np.stack([one.colours for n, one in known if drawn[n]])
        by_colour = (1 - np.stack([np.minimum(seen, one).sum(axis=1) for one in seen])) / DRAWN
        away[both] = np.where(away[both] < APART, (away[both] + by_colour) / 2, by_colour)
    return away


def _between(faces: Sequence[Floats]) -> NDArray[np.float64]:
    """(n, n) mean distances between the descriptors of two tracks."""
    every = np.concatenate(faces).astype(np.float64)
    squares = (every**2).sum(axis=1)
    apart = np.sqrt(np.maximum(squares[:, None] + squares - 2 * every @ every.T, 0))
    starts = np.cumsum([0, *(len(each) for each in faces)])[:-1]
    counts = np.array([len(each) for each in faces])
    sums = np.add.reduceat(np.add.reduceat(apart, starts, axis=0), starts, axis=1)
    return np.asarray(sums / np.outer(counts, counts), np.float64)


def find(
    seen: Sequence[float], tracks: Sequence[Track], likenesses: Sequence[Likeness | None], persons: Sequence[int]
) -> tuple[float, int] | None:
    """The person nearest to somebody who was seen before, and how far away: under 1; None if nobody is as near.

    seen     what `looks` gave
    persons  of each track, as `number` gave them
    """
    apart: dict[int, list[float]] = {}
    for track, likeness, person in zip(tracks, likenesses, persons, strict=True):
        if (distance := away_from(seen, track, likeness)) < APART:
            apart.setdefault(person, []).append(distance)
    nearest = min(((float(np.mean(each)), person) for person, each in apart.items()), default=None)
    return nearest if nearest is not None and nearest[0] < 1 else None


def away_from(seen: Sequence[float], track: Track, likeness: Likeness | None) -> float:
    """How far a track is from somebody who was seen before; APART where they cannot be compared."""
    before = np.array(seen, np.float32)
    if not len(before) or likeness is None or (track.style == "stylised") != (len(before) == len(likeness.colours)):
        return APART
    if track.style == "stylised":
        return float(1 - np.minimum(before, likeness.colours).sum()) / DRAWN if likeness.colours.any() else APART
    return float(np.linalg.norm(likeness.faces - before, axis=1).mean()) / FILMED if len(likeness.faces) else APART


def looks(tracks: Sequence[Track], likenesses: Sequence[Likeness | None]) -> tuple[float, ...]:
    """What a person is known again by elsewhere, from their tracks: (256,) the mean colours of a drawn head, (128,) the
    mean descriptor of a filmed face, by what they are in most frames; or nothing."""
    there = [(track, one) for track, one in zip(tracks, likenesses, strict=True) if one is not None]
    heads = [(track.present, one.colours) for track, one in there if track.style == "stylised" and one.colours.any()]
    faces = [(track.present, one.faces) for track, one in there if track.style != "stylised" and len(one.faces)]
    if not heads and not faces:
        return ()
    if sum(frames for frames, _ in heads) > sum(frames for frames, _ in faces):
        mean = np.mean([colours for _, colours in heads], axis=0)
    else:
        mean = np.concatenate([each for _, each in faces]).mean(axis=0)
    return tuple(round(float(value), 4) for value in mean)
