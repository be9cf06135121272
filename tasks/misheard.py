"""What of the dub was heard as the wrong voice, put right by who speaks there in the film.

Promises: a dub follows the film, so who speaks in the film is dubbed there. What a voice of the dub says where its own
voice in the film is silent and another speaks, who is not heard in the dub there, is the other's. Only voices that were
told apart by ear are doubted, and nothing is doubted where the film is silent too.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from scipy.optimize import linear_sum_assignment

from storage.catalog import Side, Speaker, Turn
from tasks.ranges import Range, length, meet, union, widen, without

BY_EAR: Final = "diarization"  # `heard_by` of voices that may be doubted
SHARED: Final = 0.3  # share of the shorter voice's speech that a pair of voices must have in common
MOST: Final = 0.6  # share of a turn that must be another's to be given to them
LONG: Final = 1_200_000  # microseconds after which a part of a longer turn is given, too: two lines heard as one
LATE: Final = 300_000  # microseconds by which a dub may begin before the film's words or end after them


def put_right(turns: Sequence[Turn]) -> tuple[list[Turn], int]:
    """The turns of both sides, and how many microseconds of the dub were given to another voice. Those of the film, and
    those that stand, are the same objects; ids are not needed."""
    film, dub = (spoken(turns, side) for side in Side)
    whose = paired(film, dub)
    speakers = {turn.speaker.name: turn.speaker for turn in turns if turn.speaker.side == Side.DUB}
    moved, out = 0, []
    for turn in turns:
        if turn.speaker.side != Side.DUB or turn.speaker.heard_by != BY_EAR:
            out.append(turn)
            continue
        mine = widen(union(stretch for voice in whose.get(turn.speaker.name, ()) for stretch in film[voice]), LATE)
        left = [(turn.start_us, turn.end_us)]
        given: list[tuple[Range, Speaker]] = []
        for other, voices in whose.items():
            if other == turn.speaker.name:
                continue
            there = meet(left, union(stretch for voice in voices for stretch in film[voice]))
            for part in without(without(there, mine), dub[other]):
                if length([part]) >= min(LONG, MOST * (turn.end_us - turn.start_us)):
                    wide = meet(left, widen([part], LATE))[0]
                    given.append((wide, speakers[other]))
                    left = without(left, [wide])
        if not given:
            out.append(turn)
            continue
        moved += length([part for part, _ in given])
        kept = [(part, turn.speaker) for part in left if length([part]) > LATE]
        out += [Turn(speaker, start, end) for (start, end), speaker in [*kept, *given]]
    return out, moved


def spoken(turns: Sequence[Turn], side: Side) -> dict[str, list[Range]]:
    """When each voice of a side speaks, by its name, microseconds."""
    found: dict[str, list[Range]] = {}
    for turn in turns:
        if turn.speaker.side == side:
            found.setdefault(turn.speaker.name, []).append((turn.start_us, turn.end_us))
    return {name: union(ranges) for name, ranges in found.items()}


def paired(film: dict[str, list[Range]], dub: dict[str, list[Range]]) -> dict[str, list[str]]:
    """By the dub's voice: the film's voices it speaks for, the pairing that has most time in common."""
    if not film or not dub:
        return {}
    a, b = list(film), list(dub)
    common = np.array([[length(meet(film[one], dub[other])) for other in b] for one in a])
    shorter = np.array([[max(1, min(length(film[one]), length(dub[other]))) for other in b] for one in a])
    best = set(zip(*(each.tolist() for each in linear_sum_assignment(-common)), strict=True))
    found: dict[str, list[str]] = {}
    for x, one in enumerate(a):
        for y, other in enumerate(b):
            if common[x, y] >= SHARED * shorter[x, y] and ((x, y) in best or x not in {n for n, _ in best}):
                found.setdefault(other, []).append(one)
    return found
