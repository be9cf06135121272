"""Where a sound begins against the film: by its own timecode, or as a person says.

Promises: to the sample, counted in real seconds, drop-frame or not; a sound that says nothing, or says the film's own
start to within a frame, begins with the film; one that lies wholly before or behind the film is refused.
Deliberately not here: moving the samples (storage/film/place.py); whether the sound is as long as the film (ingest).
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from storage.errors import Refused
from storage.film.bwf import Broadcast
from storage.film.probe import Film, Sound
from storage.film.timecode import LABEL, dropped, frame_of, timecode

IGNORE: Final = "ignore"


@dataclass(frozen=True)
class Start:
    """How a sound is laid against the film."""

    lead: int = 0  # samples of silence before it; negative: as many are cut off its head
    words: str = ""  # for people; empty: it begins with the film, and nobody has said otherwise


def start(film: Film, sound: Sound, called: str, labels: Broadcast | None, wish: str | None = None) -> Start:
    """Where the sound begins.

    called  what it is to people: "dub", "stem ANNA"
    wish    of the job (`dub_offset`). None: by its time reference. Seconds: so long after the film's first frame.
            A timecode: at that label of the film. "ignore": with the film, whatever its time reference says
    raises  Refused if it lies wholly before or behind the film, or the wish is a timecode and the film has none
    """
    found = _start(film, sound, called, labels, wish)
    hurt = f"Of the {called}: {labels.damaged}." if labels and labels.damaged else ""
    return Start(found.lead, " ".join(filter(None, (found.words, hurt))))


def _start(film: Film, sound: Sound, called: str, labels: Broadcast | None, wish: str | None) -> Start:
    first, says = film_start(film), labels.begins(sound.hz) if labels else None
    apart = _nearest(says - first, film) if says is not None and first is not None else None
    if wish == IGNORE:
        heard = f"The {called}'s time reference, {_label(says, film)}, is ignored, as --dub-offset says."
        return Start(words=heard if says is not None and apart and abs(apart) >= 1 / film.rate else "")
    if wish is not None:
        apart = _wished(film, first, wish)
        by = "as --dub-offset says"
    elif apart is None or abs(apart) < 1 / film.rate:
        return Start(words=_unused(called, labels, says, first))
    else:
        by = f"by its time reference, {_label(says, film)}"
    lead = round(apart * sound.hz)
    _check(film, sound, called, apart, by)
    if not lead:
        return Start()
    where = f"{float(abs(apart)):.3f} s {'after' if lead > 0 else 'before'} the film"
    what = f"{lead} samples of silence precede it" if lead > 0 else f"{-lead} samples are cut off its head"
    return Start(lead, f"The {called} begins {where}{_at(film)}, {by}: {what}.")


def film_start(film: Film) -> Fraction | None:
    """Real seconds from midnight to the film's first frame; None if its timecode says nothing."""
    try:
        return frame_of(film.start_timecode, film.rate) / film.rate if film.start_timecode else None
    except ValueError:  # a label of another rate
        return None


def _nearest(apart: Fraction, film: Film) -> Fraction:
    """A leader before 00:00:00:00 bears the labels of the evening before: the shorter way round the clock counts."""
    last = timecode(-1, film.rate, _drops(film))
    day = (frame_of(last, film.rate) + 1) / film.rate
    return (apart + day / 2) % day - day / 2


def _wished(film: Film, first: Fraction | None, wish: str) -> Fraction:
    if not LABEL.fullmatch(wish):
        return Fraction(wish)
    if first is None:
        raise Refused(
            f"--dub-offset {wish} is a timecode, and {film.path} has none to count from. Give the seconds from its "
            f"first frame to the dub's first sample, like --dub-offset -2."
        )
    try:
        return _nearest(frame_of(wish, film.rate) / film.rate - first, film)
    except ValueError as error:
        raise Refused(f"--dub-offset: {error}.") from None


def _check(film: Film, sound: Sound, called: str, apart: Fraction, by: str) -> None:
    if apart < film.duration and apart + sound.duration > 0:
        return
    gap, side = (apart - film.duration, "after the film's end") if apart > 0 else (-apart - sound.duration, "before it")
    whole = f"{sound.path}, the {called}, lies wholly {'behind' if apart > 0 else 'before'} the film"
    begins = film.start_timecode or "its first frame"
    raise Refused(
        f"{whole}: {by}, it {'begins' if apart > 0 else 'ends'} {float(gap):.3f} s {side}, and the film begins at "
        f"{begins} and lasts {float(film.duration):.3f} s. Check that it belongs to this reel; --dub-offset ignore "
        f"lays it at the film's first frame."
    )


def _unused(called: str, labels: Broadcast | None, says: Fraction | None, first: Fraction | None) -> str:
    if labels is None:
        return ""
    if says is None and labels.reference:
        return f"The {called}'s time reference, {labels.reference} samples, is no time of a day and counts as none."
    if says is not None and first is None:
        return f"The {called} has a time reference and the film no timecode: the {called} begins with the film."
    return ""


def _drops(film: Film) -> bool:
    return bool(dropped(film.rate)) and (not film.start_timecode or ":" not in film.start_timecode[8:])


def _label(seconds: Fraction | None, film: Film) -> str:
    return timecode(round((seconds or Fraction(0)) * film.rate), film.rate, _drops(film))


def _at(film: Film) -> str:
    return f" ({film.start_timecode})" if film.start_timecode else ""
