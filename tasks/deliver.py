"""Mux the delivery: the conformed picture, the dub, and everything else the film carried (see tasks/lanes.py).

Promises: the picture is not encoded here; the dub is laid in bit by bit where the container can hold it, and the note
says so where it cannot; the film's other sounds, subtitles, attachments, chapters and tags come along, and what the
container cannot carry is named; written beside, checked by measuring it, then renamed. An input is never written to.
"""

import hashlib
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import ffmpeg
from prefect import task
from prefect.cache_policies import NO_CACHE

from storage.catalog import Finding
from storage.errors import DublineError, Refused
from storage.film import entry, programs
from storage.film.containers import Container, container_of
from storage.film.language import same_language
from storage.film.probe import Film, Sound, Stream, probe, probe_sound
from storage.film.timecode import frame_of
from tasks.conform import Picture
from tasks.covers import take_out
from tasks.kept import Facts, checks, pairs, table
from tasks.lanes import Lane, command, plan
from tasks.programme import Mode, programme


@dataclass(frozen=True)
class Delivered:
    """A delivery that was written and measured."""

    path: Path
    audio_bit_exact: bool  # measured: the dub in the file has the samples of the dub that was given
    notes: tuple[str, ...]  # what is not as it was, in words
    streams: tuple[Stream, ...]
    frames: int
    rate: Fraction
    start_timecode: str | None
    dub: int = 1  # the dub's stream in the file
    programme: int | None = None  # the film's programme sound there; None: the dub has replaced it, or there was none
    programme_copied: bool = False
    table: tuple[Facts, ...] = ()  # the film's streams and the delivery's, side by side
    findings: tuple[Finding, ...] = field(default=(), compare=False)  # what was kept of the film, and what was not


def mux(
    film: Film, picture: Picture, dub: Sound, out: Path, language: str = "", mode: Mode = "add"
) -> Delivered:  # fmt: skip
    """Writes the delivery.

    dub       as it lies against the film: its first sample is heard with the first frame
    language  of the dub, three letters; empty: as the dub's own file says
    mode      whether the dub comes before the film's sounds or in the place of the first
    raises    Refused if `out` is an input; DublineError if what was written does not measure like the film
    """
    container = container_of(out)
    for path in (film.path, dub.path, picture.path):
        if out.exists() and out.samefile(path):
            raise Refused(f"The delivery {out} is the same file as {path}, and inputs are never written to.")
    lanes, notes = plan(film, dub, container, language, mode)
    sounds = [lane for lane in lanes if lane.kind == "audio"]
    laid = next(lane for lane in sounds if lane.source == "dub")
    own = programme(film)
    kept = next((lane for lane in sounds if own and (lane.source, lane.index) == ("film", own.index)), None)
    beside = out.with_name(out.name + ".part")
    try:
        dressed(film, picture)
        for lane in lanes:
            if lane.codec == "attach":
                take_out(film, film.streams[lane.index], picture.path.parent)
        programs.ffmpeg(command(film, picture, dub, lanes, container, beside))
        written = probe(beside)
        check(film, written)
        if len(written.sounds) != len(sounds):
            raise DublineError(
                f"{out} got {len(written.sounds)} sounds instead of {len(sounds)}. It was not kept; our bug."
            )
        into = written.sounds[sounds.index(laid)]
        held = probe_sound(beside).samples if container.whole_frames else dub.samples
        exact = bit_exact(dub, written, laid.codec, into.index, min(held, dub.samples))
        if laid.codec == "copy" and not exact:
            raise DublineError(f"The dub in {out} has other bytes than {dub.path}. Nothing was delivered.")
        if held != dub.samples:
            what = "filled up with silence" if held > dub.samples else "cut"
            by = abs(held - dub.samples)
            notes.append(f"{container.name} ends its sound with a frame: the dub's end is {what} by {by} samples.")
            exact = exact and held > dub.samples
        beside.replace(out)
    finally:
        beside.unlink(missing_ok=True)
    gone = programme(film, language) if mode == "replace" else None
    went = [(lane.source, lane.index, lane.codec) for lane in lanes]
    both = pairs(film, written, went, replaced=gone.index if gone else None)
    compared = checks(film, written, both, container, picture.lost)
    return Delivered(
        out, exact,
        (*notes, *(check.said for check in compared if check.said), *_of_the_dub(dub, into, laid, container)),
        written.streams, written.frames, written.rate, written.start_timecode, into.index,
        written.sounds[sounds.index(kept)].index if kept else None, kept is not None and kept.codec == "copy",
        tuple(table(both)), tuple(check.finding() for check in compared),
    )  # fmt: skip


def dressed(film: Film, picture: Picture) -> None:
    """Says in the conformed picture's container, which is ours, what its codec cannot say of it."""
    said = {} if picture.encoder.makes == "hevc" else entry.light(film.mastering)
    if any(film.crop):
        said |= entry.aperture(film.width, film.height, film.crop)
    if not said:
        return
    if picture.encoder.codec == "ffv1":  # lies in NUT, which has no place for it
        beside = picture.path.with_name(picture.path.name + ".part")
        programs.ffmpeg(["-i", str(picture.path.absolute()), "-c", "copy", "-f", "mov", str(beside.absolute())])
        beside.replace(picture.path)
    entry.put(picture.path, said)


def check(film: Film, written: Film) -> None:
    """raises DublineError if the delivery has not the film's frames, rate, times or timecode"""
    wrong = []
    if written.frames != film.frames:
        wrong.append(f"{written.frames} frames instead of {film.frames}")
    if film.steady and written.rate != film.rate:
        wrong.append(f"{written.rate} frames a second instead of {film.rate}")
    if written.frames == film.frames and not film.steady:
        apart = max(abs(written.time(n) - film.time(n)) for n in range(film.frames))
        if apart > max(Fraction(1, 1000), written.time_base, film.time_base):
            wrong.append(f"frames that are {float(apart):.3f} s off")
    if abs(written.head - film.head) > 1 / film.rate:
        wrong.append(f"a picture that begins at {float(written.head):.3f} s instead of {float(film.head):.3f} s")
    if film.start_timecode and _start(written) != _start(film):
        wrong.append(f"the timecode {written.start_timecode} instead of {film.start_timecode}")
    if wrong:
        raise DublineError(f"The delivery measures wrong: {'; '.join(wrong)}. It was not kept. This is a bug of ours.")


def _start(film: Film) -> int | str | None:
    """The frame that the start timecode names: 01:00:00:00 and 01:00:00;00 are two frames."""
    try:
        return frame_of(film.start_timecode or "", film.rate)
    except ValueError:
        return film.start_timecode


def _of_the_dub(dub: Sound, written: Stream, lane: Lane, container: Container) -> list[str]:
    """What the container did not keep of the dub beside its samples, found by measuring."""
    notes = []
    if written.channels != dub.channels:
        raise DublineError(f"The dub has {dub.channels} channels and {written.channels} were written. This is our bug.")
    if dub.layout and dub.channels > 2 and written.layout != dub.layout:
        notes.append(
            f"{container.name} calls the dub's {dub.channels} channels {written.layout or 'nothing'} and not "
            f"{dub.layout}; their order is the same."
        )
    found = written.tags.get("language", "")
    if lane.language and found != container.spells.get(lane.language) and not same_language(found, lane.language):
        notes.append(f"{container.name} does not keep the dub's language, {lane.language}.")
    return notes


def bit_exact(dub: Sound, written: Film, codec: str, index: int, samples: int) -> bool:
    """Whether this stream has the dub's samples: the same bytes if it was copied, else decoded alike.

    samples  how many are compared, from the first
    """
    if codec == "copy" and _bytes_of(dub.path, dub.stream) == _bytes_of(written.path, index):
        return True
    return codec != "aac" and _samples_of(dub.path, dub.stream, samples) == _samples_of(written.path, index, samples)


def _bytes_of(path: Path, stream: int) -> str:
    digest = hashlib.sha256()
    with av.open(str(path.absolute()), metadata_errors="replace") as container:
        for packet in container.demux(container.streams[stream]):
            if packet.size:
                digest.update(bytes(packet))
    return digest.hexdigest()


def _samples_of(path: Path, stream: int, samples: int) -> str:
    sound = ffmpeg.input(str(path.absolute()))[str(stream)].filter("atrim", end_sample=samples)
    return programs.ffmpeg(ffmpeg.output(sound, "-", acodec="pcm_s32le", format="hash", hash="sha256"))


@task(cache_policy=NO_CACHE)
def deliver(
    film: Film, picture: Picture, dub: Sound, out: Path, language: str = "", mode: Mode = "add"
) -> Delivered:  # fmt: skip
    """Muxes the delivery and measures it."""
    return mux(film, picture, dub, out, language, mode)
