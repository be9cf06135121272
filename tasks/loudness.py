"""The loudness of the film's programme sound and of the dub: as they were given, and as they are delivered.

Promises: each sound is measured once, from its first sample to its last; what is delivered bit by bit is as loud as it
was and is not measured again; every number names its meter, and none is graded: there is no target here.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from storage.film.loudness import METER
from storage.film.loudness import loudness as measure
from storage.film.probe import Film, Sound
from tasks.deliver import Delivered
from tasks.programme import programme


def given_loudness(film: Film, dub: Sound) -> dict[str, Any]:
    """{"film": …, "dub": …} as JSON, each with integrated, range, peak and why; no film where it has no sound."""
    own = programme(film)
    said = {"film": asdict(measure(film.path, own.index))} if own else {}
    return said | {"dub": asdict(measure(dub.path, dub.stream))}


def table(film: Film, delivered: Delivered, given: Mapping[str, Any], moved: bool) -> dict[str, Any]:
    """What report.json says under audio.loudness.

    given  as `given_loudness` has measured it
    moved  whether silence was laid before the dub, or its head cut off
    """
    as_it_was = delivered.audio_bit_exact and not moved
    after = given["dub"] if as_it_was else asdict(measure(delivered.path, delivered.dub))
    rows = [
        {"sound": "dub", "when": "as given", "same_samples": False, **given["dub"]},
        {"sound": "dub", "when": "as delivered", "same_samples": as_it_was, **after},
    ]
    if "film" in given:
        rows.insert(0, {"sound": "film", "when": "as given", "same_samples": False, **given["film"]})
        if delivered.programme is not None:
            kept = delivered.programme_copied
            then = given["film"] if kept else asdict(measure(delivered.path, delivered.programme))
            rows.insert(1, {"sound": "film", "when": "as delivered", "same_samples": kept, **then})
    return {"meter": METER, "target": None, "rows": rows}


@task(cache_policy=NO_CACHE)
def loudness(film: Film, dub: Sound) -> dict[str, Any]:
    """Measures the film's programme sound and the dub as they were given."""
    return given_loudness(film, dub)
