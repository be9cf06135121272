"""Whose face speaks with whose voice, on films whose truth is known: prints, and asserts nothing.

    python -m tests.bench.binding [FILM …] [--keep FOLDER] [--each]

The films are those of tests/scenes and the synthetic episode (`episode`), each speaker of it dubbed by another. With
--keep what was made, looked at and heard stays in FOLDER and is used again: casting alone is then asked anew; delete
FILM.look or FILM.heard in it after a change of look or listen. --each says of each face of each shot what was decided.

Counted in frames of faces. `right`: somebody seen speaks, and that face has that one's voice and is drawn; `wrong`:
another face has that voice, or the face has another's; `none`: no voice, or not sure enough to draw; `unseen`: look
found no face there. `off screen bound`: speech of those who are not seen that some face was given. `wrongly drawn`:
drawn although its character speaks neither in the film nor in the dub; faces where nobody is count as such, too.
`passed`: its character speaks and it was not drawn. Five frames at either edge of every turn are neither.
What is told film by film is decided as Dubline ships, without LR-ASD; the last table is of all the ways in ablation.py.
DER as pyannote.metrics counts it with a collar of 0.25 s in all (in brackets: 0.25 s on each side), overlap scored.
"""

import argparse
import os
import pickle
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from storage.catalog import Shot, Side, Track
from storage.film.probe import Film, probe
from storage.settings import settings
from tasks.cast import cast
from tasks.listen import Heard, listen
from tasks.look import look
from tasks.route import route
from tasks.split import split
from tests.bench.ablation import SHIPPED, VARIANTS
from tests.bench.casting import numbered
from tests.bench.episode import episode
from tests.bench.verdicts import Perceived, Score, judged
from tests.scenes import PLOTS, Truth, make

STEPS: Final = ("split", "look", "listen", "cast", "route")


@dataclass(frozen=True, eq=False)
class Given:
    """What casting is given of a film."""

    film: Film
    shots: list[Shot]
    tracks: list[Track]
    heard: Heard
    seconds: dict[str, float]  # of CPU, by step


def perceive(path: Path, dub: Path, keep: Path) -> Given:
    """The product's own steps up to casting, as flows/steps.py takes them, without a catalog."""
    film, seconds = probe(path), dict.fromkeys(STEPS, 0.0)

    def timed(step: str, compute: Callable[[], Any]) -> Any:
        before = os.times()
        found = compute()
        seconds[step] += sum(os.times()[:4]) - sum(before[:4])
        return found

    def seen() -> tuple[list[Shot], list[Track]]:
        shots = numbered(timed("split", lambda: split.fn(film)))
        return shots, numbered(timed("look", lambda: look.fn(film, shots)).tracks)

    def said() -> Heard:
        heard: Heard = timed("listen", lambda: listen.fn(film, dub, {}))
        numbered(list({id(turn.speaker): turn.speaker for turn in heard.turns}.values()))
        return heard

    shots, tracks = kept(keep / f"{path.stem}.look", seconds, seen)
    heard: Heard = kept(keep / f"{path.stem}.heard", seconds, said)
    return Given(film, shots, tracks, heard, seconds)


def decide(given: Given) -> Perceived:
    """Casting and routing."""
    film, tracks, turns = given.film, given.tracks, given.heard.turns
    began = sum(os.times()[:2])
    found = cast.fn(film, tracks, turns, {name: sound.sha for name, sound in given.heard.speech.items()})
    casting = sum(os.times()[:2])
    numbered(found.characters)
    for track, face in zip(tracks, found.faces, strict=True):
        track.character_id, track.confidence = face.character.id if face.character else None, face.confidence
        track.face = face.person
    why = [face.reason for face in found.faces]
    routes = route.fn(film, tracks, found.characters, turns, None, why)
    spent = given.seconds | {"cast": casting - began, "route": sum(os.times()[:2]) - casting}
    return Perceived(film, given.shots, tracks, turns, found.characters, routes, spent)


def kept(file: Path, seconds: dict[str, float], compute: Callable[[], Any]) -> Any:
    """What was computed before, with what it cost then."""
    if file.exists():
        found, then = pickle.loads(file.read_bytes())  # noqa: S301 — this bench's own
        seconds |= {step: s for step, s in then.items() if s}
        return found
    before = dict(seconds)
    found = compute()
    then = {step: s - before[step] for step, s in seconds.items()}
    file.write_bytes(pickle.dumps((found, then)))
    return found


def percent(some: int, of: int) -> str:
    return f"{100 * some / of:.1f}" if of else "-"


STYLED: Final = ("right", "wrong", "uncertain")
HEADS: Final = (
    "right", "wrong", "none", "unseen", "off screen bound", "wrongly drawn", "passed",
)  # fmt: skip


def shares(score: Score, kind: str | None = None) -> list[str]:
    """In per cent: of speech on screen four, of speech off screen, of faces to be left alone, of faces to be drawn."""
    verdicts = ("right", "wrong", "none", "unseen")
    speech = sum(score.total(verdict, kind) for verdict in verdicts)
    return [
        *(percent(score.total(verdict, kind), speech) for verdict in verdicts),
        percent(score.total("off bound", kind), score.total("off", kind)),
        percent(score.total("wrongly", kind), score.total("spare", kind)),
        percent(score.total("passed", kind), score.total("needed", kind)),
    ]


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    cells = [[str(cell) for cell in row] for row in (heads, *rows)]
    wide = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        first, *rest = (
            cell.ljust(w) if n == 0 else cell.rjust(w) for n, (cell, w) in enumerate(zip(row, wide, strict=True))
        )
        print("  ".join([first, *rest]).rstrip())


def together(scores: Sequence[Score]) -> Score:
    return Score(
        sum((score.frames for score in scores), Counter()), sum((score.styles for score in scores), Counter()), {},
        (0, 0, 0), (0, 0), {}, (0, 0, 0, 0),
    )  # fmt: skip


def main(shared: Path, wanted: Sequence[str] = (), keep: Path | None = None, each: bool = False) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = keep or Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        os.environ["DUBLINE_HOME"] = str(place / "house")
        os.environ["DUBLINE_WEIGHTS"] = str(shared / "weights")  # LR-ASD's
        settings.cache_clear()
        scores: dict[str, dict[str, Score]] = {variant: {} for variant in VARIANTS}
        costs: dict[str, tuple[float, dict[str, float]]] = {}
        for name in wanted or (*PLOTS, "episode"):
            film, dub, truth = made(name, place, shared)
            seen = perceive(film, dub, place)
            for variant, limited in VARIANTS.items():
                with limited():
                    found = decide(seen)
                scores[variant][name], lines = judged(truth, found)
                if variant == SHIPPED:
                    costs[name] = float(truth.frames / truth.rate) / 60, found.seconds
                    if each:
                        print(f"{name}:", *lines, "", sep="\n")
    settings.cache_clear()
    told(scores[SHIPPED], costs)
    print("\nWhat each part is worth, all films together:\n")
    table(("decided by", *HEADS), [(variant, *shares(together(list(of.values())))) for variant, of in scores.items()])


def made(name: str, place: Path, shared: Path) -> tuple[Path, Path, Truth]:
    """A film, made once a folder."""
    file = place / f"{name}.truth"
    if not file.exists():
        three = episode(place, shared) if name == "episode" else make(place, name, shared / "media")
        file.write_bytes(pickle.dumps(three))
    film, dub, truth = pickle.loads(file.read_bytes())  # noqa: S301 — this bench's own
    return film, dub, truth


def told(scores: dict[str, Score], costs: dict[str, tuple[float, dict[str, float]]]) -> None:
    everything = together(list(scores.values()))
    print("In per cent.\n")
    table(
        ("film", "minutes", "DER film", "DER dub", *HEADS),
        [
            (
                name, f"{costs[name][0]:.1f}", *("{:.1f} ({:.1f})".format(*score.der[side]) for side in Side),
                *shares(score),
            )
            for name, score in scores.items()
        ] + [("all", f"{sum(m for m, _ in costs.values()):.1f}", "", "", *shares(everything))],
    )  # fmt: skip
    print()
    table(
        ("kind of shot", *HEADS),
        [(kind, *shares(everything, kind)) for kind in sorted({kind for kind, _ in everything.frames})],
    )
    print()
    table(
        (
            "film", "cuts found", "missed", "false", "style right", "wrong", "uncertain", "persons heard as voices",
            "in the dub", "rightly dubbed", "seen as persons", "tracks of others",
        ),
        [
            (
                name, *score.cuts, *(score.styles[verdict] for verdict in STYLED),
                *("{} as {}".format(*score.voices[side]) for side in Side), "{} of {}".format(*score.dubbed),
                "{} as {}".format(*score.known[:2]), "{} of {}".format(*score.known[2:]),
            )
            for name, score in scores.items()
        ],
    )  # fmt: skip
    print("\nCPU seconds a minute of film:\n")
    table(
        ("film", *STEPS),
        [(name, *(f"{s[step] / minutes:.1f}" for step in STEPS)) for name, (minutes, s) in costs.items()],
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("film", nargs="*", metavar="FILM", help=f"{', '.join(PLOTS)} or episode; all of them")
    parser.add_argument("--keep", type=Path, metavar="FOLDER")
    parser.add_argument("--each", action="store_true")
    given = parser.parse_args()
    shared = Path(os.environ.get("DUBLINE_SHARED", Path(__file__).parents[3] / "shared"))
    main(shared, given.film, given.keep, given.each)
