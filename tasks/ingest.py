"""Refused here or not at all: what can be known about a film and a dub before anything is done.

Promises: nothing is written; one clear sentence says what is wrong, where, why and what to do; both files are read to
the end once for their fingerprints, and the film's packets once for its frames.
Deliberately not here: whether anybody speaks in it (listen, look), whether it may be done (consents are the flow's).
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
from prefect import task
from prefect.cache_policies import NO_CACHE

from storage.catalog import Side
from storage.errors import Refused
from storage.film.bwf import Broadcast, labels_of
from storage.film.colour import matrix_of
from storage.film.containers import MXF, container_of
from storage.film.count import holes
from storage.film.encoders import Deliver, encoder_for, unjay
from storage.film.groups import groups_of
from storage.film.planes import pixel_format
from storage.film.probe import Film, Sound, fingerprint, probe, probe_sound
from storage.film.read import frames
from storage.film.timecode import timecode
from tasks.carried import CastFile
from tasks.carried import read as read_cast
from tasks.job import Place
from tasks.starts import Start
from tasks.starts import start as start_of
from tasks.told import read
from tasks.turnover import Turnover
from tasks.turnover import read as read_turnover

AAC_CHANNELS: Final = 8
MXF_HZ: Final = 48000


@dataclass(frozen=True)
class Ingested:
    """A film and a dub that can be worked with."""

    film: Film
    dub: Sound
    film_sha: str
    dub_sha: str
    stems: dict[str, Sound] = field(default_factory=dict)  # by the character's name
    stem_shas: dict[str, str] = field(default_factory=dict)
    voice_shas: dict[str, str] = field(default_factory=dict)  # of what says who speaks, by sound: original, dub
    notes: tuple[str, ...] = ()  # what a person should know and need not change
    cast: CastFile | None = None  # of the episode before
    turnover: Turnover | None = None  # the cut list that came with the film
    starts: dict[str, Start] = field(default_factory=dict)  # by sound: "dub", and "stem " with the stem's name
    labels: Broadcast | None = None  # on the dub

    @property
    def leads(self) -> dict[str, int]:
        """The sounds that do not begin with the film, each with its `lead`."""
        return {sound: begins.lead for sound, begins in self.starts.items() if begins.lead}

    @property
    def words(self) -> list[str]:
        """Where the sounds begin, as far as there is anything to say."""
        return [begins.words for begins in self.starts.values() if begins.words]


def ingest_episode(
    film_path: Path,
    dub_path: Path,
    out_path: Path | None,
    *,
    allow_length: bool = False,
    stems: Mapping[str, Path] | None = None,
    deliver: Deliver = "same",
    mouths: Mapping[str, Place] | None = None,
    voices: Mapping[Side, Path] | None = None,
    cast: Path | None = None,
    timeline: Path | None = None,
    dub_offset: str | None = None,
) -> Ingested:
    """Measures and fingerprints film, dub and stems, and reads what says who speaks, who is who, and the cuts.

    out_path    where the delivery goes; None: there will be none
    dub_offset  where dub and stems begin, as a person says: see tasks/starts.py
    raises  Refused for anything that cannot be worked with or delivered
    """
    stems, voices = dict(stems or {}), dict(voices or {})
    if out_path is not None:
        beside = [path for path in (cast, timeline) if path]
        check_out(out_path, [film_path, dub_path, *stems.values(), *voices.values(), *beside])
    carried = read_cast(cast) if cast else None
    film = probe(film_path)
    check_film(film)
    check_mouths(film, mouths or {})
    turnover = read_turnover(timeline, film) if timeline else None
    if out_path is not None:
        check_picture(film, out_path, deliver)
    dub, labels = probe_sound(dub_path), labels_of(dub_path)
    if out_path is not None:
        check_sound(dub, out_path)
    starts = {"dub": start_of(film, dub, "dub", labels, dub_offset)}
    notes = check_length(film, dub, allow_length, starts["dub"])
    if dub.others:
        notes = (
            *notes,
            f"{dub.path.name} has {dub.others + 1} sound streams; the first, stream {dub.stream}, is the dub.",
        )
    told = [read(path, int(film.duration * 1_000_000)).notes for path in voices.values()]
    sounds = {name: probe_sound(path) for name, path in stems.items()}
    for name, sound in sounds.items():
        called = f"stem {name}"
        starts[called] = start_of(film, sound, called, labels_of(sound.path), dub_offset)
    return Ingested(
        film, dub, fingerprint(film_path), fingerprint(dub_path), sounds,
        {name: fingerprint(path) for name, path in stems.items()},
        {side: fingerprint(path) for side, path in voices.items()},
        (*notes, *told, *(turnover.notes if turnover else ()), *_notes(film)), carried, turnover, starts, labels,
    )  # fmt: skip


def check_out(out: Path, inputs: list[Path]) -> None:
    """raises Refused if the delivery cannot be written there, or would be written over an input"""
    container_of(out)
    if out.is_dir():
        raise Refused(f"{out} is a folder. Name the file that the delivery becomes.")
    for path in inputs:
        if path.exists() and ((out.exists() and out.samefile(path)) or out.resolve() == path.resolve()):
            raise Refused(f"The delivery {out} is the same file as {path}. Choose another name for it.")
    folder = out.absolute().parent
    if not folder.is_dir():
        raise Refused(f"The folder {folder} of the delivery does not exist. Make it, or choose another.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise Refused(f"The folder {folder} cannot be written to. Change its permissions, or choose another.")


def check_picture(film: Film, out: Path, deliver: Deliver) -> None:
    """raises Refused if the delivery's container cannot carry its picture"""
    encoder, container = encoder_for(film, deliver), container_of(out)
    if container.rates is not None and (not film.steady or film.rate not in container.rates):
        rate = f"{film.rate} frames a second" if film.steady else "frames that last unequally long"
        raise Refused(f"{out.name}: {container.name} has no {rate}. {out.with_suffix('.mov').name} takes them.")
    if container is MXF and encoder.makes == "h264" and not (film.ordered and groups_of(film, encoder)):
        raise Refused(
            f"{out.name}: ffmpeg does not write into MXF in which order H.264 pictures are shown, so only a film "
            f"without B-frames whose packets can be copied is put there. Take {out.with_suffix('.mov').name}, or "
            f"--deliver prores."
        )
    if container.pictures is not None and encoder.makes not in container.pictures:
        raise Refused(
            f"{out.name}: {container.name} cannot carry the picture, {encoder.words}. "
            f"Choose another ending ({out.with_suffix('.mkv').name} takes everything) or another --deliver."
        )


def check_sound(dub: Sound, out: Path) -> None:
    """raises Refused if the delivery's container cannot carry the dub at all"""
    container = container_of(out)
    codec, _ = container.sound_as(dub.codec, dub.channels)
    if codec == "aac" and dub.channels > AAC_CHANNELS:
        raise Refused(
            f"{container.name} takes {dub.path.name} only as AAC, which has {AAC_CHANNELS} channels at most, and it "
            f"has {dub.channels}. Choose another ending: {out.with_suffix('.mov').name} keeps it bit by bit."
        )
    if container.name == "MXF" and dub.hz != MXF_HZ:
        raise Refused(
            f"MXF carries sound of {MXF_HZ} Hz alone, and {dub.path.name} has {dub.hz} Hz. Choose another ending: "
            f"{out.with_suffix('.mov').name} keeps it bit by bit."
        )


def check_film(film: Film) -> None:
    """raises Refused if the film is not whole, or of a kind that cannot be dubbed"""
    if film.missing:
        raise Refused(f"{film.path} is not whole: {film.missing}. Copy it again from the original.")
    if film.interlaced:
        raise Refused(f"{film.path} is interlaced: {INTERLACED}")
    if film.rotation:
        raise Refused(
            f"{film.path} is stored lying and turned by {film.rotation}° only when played. Turn it for good first: "
            f"`ffmpeg -i FILM -c:v prores_ks -c:a copy NEW.mov` does."
        )
    pixel_format(film.pix_fmt)
    if unjay(film.pix_fmt) not in [known.name for known in av.Codec("ffv1", "w").video_formats or []]:
        raise Refused(
            f"{film.path} has the pixel format {film.pix_fmt}, which no lossless patch can keep. "
            f"Convert it, for example with `ffmpeg -i FILM -pix_fmt yuv444p …`."
        )
    matrix_of(film)
    # The first picture and the last few must be there: a file that was cut off may still promise all of them.
    middle = film.frames // 2
    for start, end in ((0, 1), (middle, middle + 1), (max(0, film.frames - 3), film.frames)):
        for frame in frames(film, start, end):
            if frame.decoded is not None and frame.decoded.interlaced_frame:
                raise Refused(f"{film.path} is interlaced, though its header does not say so: {INTERLACED}")


INTERLACED: Final = (
    "each picture is two half pictures of different times, and a mouth can be laid into neither. Deinterlace it first, "
    "for example `ffmpeg -i FILM -vf bwdif=send_frame -c:v prores_ks …`."
)


def check_mouths(film: Film, mouths: Mapping[str, Place]) -> None:
    """raises Refused if a mouth that a person has pointed at lies outside the picture, or is wider than it"""
    for shot, (x, y, half) in mouths.items():
        if not (0 <= x < film.width and 0 <= y < film.height):
            raise Refused(
                f"The mouth of {shot} at {x:g},{y:g} lies outside the picture, which is {film.width} × {film.height} "
                f"pixels. Count from its top left corner, to the right and down."
            )
        if half is not None and 2 * half > film.width:
            raise Refused(
                f"The mouth of {shot} would be {2 * half:g} pixels wide, and the picture is {film.width}. The third "
                f"number is half its width, from the middle to a corner."
            )


def check_length(film: Film, dub: Sound, allow: bool, begins: Start = Start()) -> tuple[str, ...]:
    """Notes on a difference that was allowed. Raises Refused if there is one of more than a frame, and it was not.

    begins  where the dub is laid; what counts is whether it ends with the film
    """
    apart = dub.duration + Fraction(begins.lead, dub.hz) - film.duration
    if abs(apart) <= 1 / film.rate:
        return ()
    said = f"The dub is {_seconds(dub.duration)} long and the film {_seconds(film.duration)}: "
    if begins.lead:
        said = f"{begins.words} So it ends with another frame than the film, which is {_seconds(film.duration)} long: "
    said += f"it is {round(abs(apart) * film.rate)} frames too {'long' if apart > 0 else 'short'}"
    if not allow:
        raise Refused(
            f"{said}. Check that {dub.path.name} belongs to this cut; `--allow-length` goes on anyway"
            f"{', --dub-offset ignore lays it at the first frame' if begins.lead else ''}."
        )
    return (f"{said}. That was allowed.",)


def _notes(film: Film) -> tuple[str, ...]:
    notes = []
    if not film.steady:
        notes.append("The film has no steady rate. Each frame keeps its own time; timecodes are of the mean rate.")
    if gaps := [] if film.steady else holes(film.pts):
        frame, ticks = gaps[0]
        said = f"{len(gaps)} holes, the first after" if len(gaps) > 1 else "a hole after"
        notes.append(
            f"The film has {said} frame {frame}, which stands for {float(ticks * film.time_base):.2f} s. The delivery "
            f"has it too. If it is not meant, frames are lost there: copy the film again from the original."
        )
    others = [s for s in film.streams if s.kind == "video" and "attached_pic" not in s.disposition]
    if len(others) > 1:
        notes.append(f"The film has {len(others)} pictures. Stream {film.picture} is the one that is dubbed.")
    if film.codec in ("h264", "hevc", "mpeg2video", "mpeg4", "vp9", "av1"):
        notes.append(
            f"The film is {film.codec}, whose frames lean on each other: what leans on a changed one is encoded again."
        )
    if film.colour.matrix is None:
        kind = "BT.709" if film.height >= 720 else "BT.601"
        notes.append(f"The film does not say its colour matrix. {kind} is assumed, as players do.")
    return tuple(notes)


def _seconds(duration: Fraction) -> str:
    milliseconds = timecode(round(duration * 1000), Fraction(1000))
    return milliseconds[:8] + "." + milliseconds[9:]


@task(cache_policy=NO_CACHE)
def ingest(
    film_path: Path,
    dub_path: Path,
    out_path: Path | None,
    *,
    allow_length: bool = False,
    stems: Mapping[str, Path] | None = None,
    deliver: Deliver = "same",
    mouths: Mapping[str, Place] | None = None,
    voices: Mapping[Side, Path] | None = None,
    cast: Path | None = None,
    timeline: Path | None = None,
    dub_offset: str | None = None,
) -> Ingested:
    """Measures film, dub and stems, and refuses what cannot work."""
    return ingest_episode(
        film_path, dub_path, out_path,
        allow_length=allow_length, stems=stems, deliver=deliver, mouths=mouths, voices=voices,
        cast=cast, timeline=timeline, dub_offset=dub_offset,
    )  # fmt: skip
