"""Voice prints of an episode, so that its voices are known again in the next one.

One artifact of arrays, (192,) each, named by side and speaker: `original A`, `dub ANNA`. What a print is worth and how
two are compared says models/speech/prints.py. Without CAM++ there are none.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from models.speech import weights
from models.speech.prints import Print, network, print_of
from models.speech.sound import Range, Sound
from storage import artifacts
from storage.catalog import Artifact, Side, Turn
from storage.errors import Missing
from tasks.clock import sample
from tasks.ranges import union, without

TOLD: Final = "file"  # `heard_by` of who was told apart by what somebody has written down


def of_stems(
    by_stem: Mapping[str, Sequence[Range]], sounds: Mapping[str, Sound], ears: weights.Weights
) -> dict[str, Print | None]:
    """By stems, whose speech is given in samples."""
    return _printed({f"{Side.DUB} {name}": (sounds[f"stem {name}"], spoken) for name, spoken in by_stem.items()}, ears)


def of_files(turns: Sequence[Turn], sounds: Mapping[str, Sound], ears: weights.Weights) -> dict[str, Print | None]:
    """Of the speakers whom a file names, where they speak alone."""
    spoken: dict[Side, dict[str, list[Range]]] = {}
    for turn in turns:
        if turn.speaker.heard_by == TOLD and turn.speaker.side in sounds:
            by_name = spoken.setdefault(turn.speaker.side, {})
            by_name.setdefault(turn.speaker.name, []).append((sample(turn.start_us), sample(turn.end_us)))
    asked = {}
    for side, by_name in spoken.items():
        for name, mine in by_name.items():
            others = [turn for other, theirs in by_name.items() if other != name for turn in theirs]
            asked[f"{side} {name}"] = (sounds[side], without(union(mine), others))
    return _printed(asked, ears)


def keep_prints(prints: Mapping[str, Print | None]) -> list[Artifact]:
    """The artifact, if there is anything to keep."""
    known = {name: row for name, row in prints.items() if row is not None}
    return [artifacts.put_arrays("voice prints", known)] if known else []


def _printed(asked: Mapping[str, tuple[Sound, Sequence[Range]]], ears: weights.Weights) -> dict[str, Print | None]:
    if ears.folder is None or not asked:
        return {}
    try:
        net = network(ears)
    except weights.Unusable as unusable:
        raise Missing(f"The voices cannot be known again: {unusable}.") from None
    return {name: print_of(net, sound, spoken) for name, (sound, spoken) in asked.items()}
