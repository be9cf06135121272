"""Mux the delivery: the conformed picture, the dub, and everything else the film carried.

Promises: the picture is not encoded here; the dub is laid in bit by bit where the container can hold it, and the note
says so where it cannot; the film's other sounds, subtitles, attachments, chapters and tags come along, and what the
container cannot carry is named; written beside, checked by measuring it, then renamed. An input is never written to.
"""

import hashlib
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import ffmpeg
from prefect import task
from prefect.cache_policies import NO_CACHE

from storage.catalog import Finding
from storage.errors import DublineError, Refused
from storage.film import entry, programs
from storage.film.containers import Container, container_of
from storage.film.probe import Film, Sound, Stream, probe, probe_sound
from storage.film.timecode import frame_of
from tasks.conform import Picture
from tasks.covers import attach, attachable, take_out
from tasks.kept import Facts, called, checks, pairs, reel, table, title


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
    table: tuple[Facts, ...] = ()  # the film's streams and the delivery's, side by side
    findings: tuple[Finding, ...] = field(default=(), compare=False)  # what was kept of the film, and what was not


@dataclass(frozen=True)
class Lane:
    """One stream of the delivery: where it comes from and how it goes in."""

    source: str  # picture, dub, film
    index: int  # of the stream in that file
    codec: str  # copy, or the encoder that it needs
    disposition: tuple[str, ...]
    bit_rate: int | None = None
    language: str = ""
    hz: int | None = None  # the rate it is brought to; None: its own


def plan(film: Film, dub: Sound, container: Container, language: str = "") -> tuple[list[Lane], list[str]]:
    """(the delivery's streams in order, notes on what is not carried as it was). Pure."""
    notes: list[str] = []
    codec, bit_rate = container.sound_as(dub.codec, dub.channels)
    if codec == "aac":
        notes.append(
            f"The dub is AAC at {(bit_rate or 0) // 1000} kb/s: players do not read {dub.codec} in {container.name}. "
            f"A delivery that ends in .mov or .mkv keeps it bit by bit."
        )
    elif codec != "copy":
        notes.append(f"The dub is unpacked from {dub.codec} to {codec}, which {container.name} can carry.")
    lanes = [Lane("picture", 0, "copy", ("default",)), Lane("dub", dub.stream, codec, ("default",), bit_rate, language)]
    for stream in film.streams:
        if stream.index == film.picture or (stream.kind == "data" and stream.tag in ("tmcd", "text")):
            continue  # timecode and chapters are written anew
        how, rate = _how(stream, container)
        if not how:
            notes.append(f"{container.name} cannot carry the film's {called(stream)}; it is left out.")
            continue
        hz = container.hz if stream.hz and container.hz != stream.hz else None
        if hz:
            how = container.sound if how == "copy" else how
            notes.append(
                f"The film's {called(stream)} is brought from {stream.hz} to {hz} Hz: {container.name} has no other."
            )
        elif how not in ("copy", "attach"):
            notes.append(f"The film's {called(stream)} becomes {how}: {container.name} cannot carry {stream.codec}.")
        if stream.kind == "video" and "attached_pic" not in stream.disposition:
            notes.append(
                f"The film has another picture, {called(stream)}: it comes along as it is, with its old mouths."
            )
        # One picture and one sound begin to play by themselves: the dubbed ones.
        kept = tuple(word for word in stream.disposition if stream.kind not in ("audio", "video") or word != "default")
        lanes.append(Lane("film", stream.index, how, kept, rate, hz=hz))
    return sorted(lanes, key=lambda lane: lane.codec == "attach"), notes


def _how(stream: Stream, container: Container) -> tuple[str, int | None]:
    if stream.kind == "audio":
        return container.sound_as(stream.codec, stream.channels or 2)
    if stream.kind == "subtitle":
        return container.subtitle_as(stream.codec), None
    if stream.kind == "attachment":
        return "copy" if container.attachments else "", None
    if stream.kind == "video":
        if container.attachments and attachable(stream):
            return "attach", None
        held = container.pictures is None or stream.codec in container.pictures
        return "copy" if held and (container.covers or "attached_pic" not in stream.disposition) else "", None
    return "copy" if stream.codec in container.ancillary else "", None


def command(film: Film, picture: Picture, dub: Sound, lanes: list[Lane], container: Container, to: Path) -> list[str]:
    """ffmpeg's arguments for the mux. Pure, but for paths that are made absolute."""
    # ffmpeg moves each file to begin at 0. Where the film's picture began after its sound, it does so again.
    late = {"itsoffset": f"{float(film.head):.6f}"} if film.head else {}
    # ffmpeg-python numbers the inputs as they are first used, and `-map_metadata` needs the number.
    numbers = {"picture": 0, "dub": 1, "film": 2}
    inputs = {
        "picture": ffmpeg.input(str(picture.path.absolute()), **late),
        "dub": ffmpeg.input(str(dub.path.absolute()), **late),
        "film": ffmpeg.input(str(film.path.absolute())),
    }
    options: dict[str, Any] = {"c": "copy", "f": container.form, "map_metadata": 2, "map_chapters": 2}
    options |= dict(container.flags) | _colour(film)
    said: list[str] = []  # one option may be said several times, which ffmpeg-python cannot
    for number, lane in enumerate(lanes):
        if lane.codec == "attach":
            said += attach(film.streams[lane.index], number, picture.path.parent)
            continue
        if lane.codec != "copy":
            options[f"c:{number}"] = lane.codec
        if lane.bit_rate:
            options[f"b:{number}"] = lane.bit_rate
        options[f"disposition:{number}"] = "+".join(lane.disposition) or "0"
        source, index = ("film", film.picture) if lane.source == "picture" else (lane.source, lane.index)
        options[f"map_metadata:s:{number}"] = f"{numbers[source]}:s:{index}"
        if lane.hz:
            options[f"ar:{number}"] = lane.hz
        said += [word for tag in _said(film, lane, container) for word in (f"-metadata:s:{number}", tag)]
    if film.start_timecode:
        options["metadata"] = f"timecode={film.start_timecode}"
    if picture.encoder.makes == "hevc" and container.form in ("mov", "mp4"):
        mixed = 0 < picture.copied < picture.frames  # parameter sets lie among the pictures (storage/film/joint.py)
        options["tag:v:0"] = "hev1" if mixed else "hvc1"  # the spelling that Apple's players open
    mapped = [inputs[lane.source][str(lane.index)] for lane in lanes if lane.codec != "attach"]
    arguments = [str(word) for word in ffmpeg.get_args(ffmpeg.output(*mapped, str(to.absolute()), **options))]
    arguments[-1:-1] = said
    if all(
        lane.source != "film" or lane.codec == "attach" for lane in lanes
    ):  # nothing of the film is mapped, yet its tags and chapters are wanted
        end_of_inputs = arguments.index("-map")
        arguments[end_of_inputs:end_of_inputs] = ["-i", str(film.path.absolute())]
    return arguments


def _said(film: Film, lane: Lane, container: Container) -> list[str]:
    """What `-map_metadata` does not say of a stream, or says so that the container does not understand it."""
    index = film.picture if lane.source == "picture" else lane.index
    stream = next((each for each in film.streams if each.index == index and lane.source != "dub"), None)
    language = lane.language or (stream.tags.get("language", "") if stream else "")
    said = [f"language={container.spells.get(language, language)}"] if language else []
    if stream and "title" not in stream.tags and "name" in stream.tags:  # MOV's word for it
        said.append(f"title={title(stream)}")
    if lane.source == "picture" and reel(film):  # MOV's timecode track takes it from the picture
        said.append(f"reel_name={reel(film)}")
    return said


def _colour(film: Film) -> dict[str, str]:
    """Tags that FFV1's stream does not hold, so the container must."""
    colour = film.colour
    said = {"colorspace:v:0": colour.matrix, "color_primaries:v:0": colour.primaries, "color_trc:v:0": colour.transfer,
            "color_range:v:0": colour.range}  # fmt: skip
    tags = {option: tag for option, tag in said.items() if tag and tag != "unknown"}
    if film.sar != 1:
        shape = film.sar * film.width / film.height
        tags["aspect:v:0"] = f"{shape.numerator}:{shape.denominator}"
    return tags


def mux(film: Film, picture: Picture, dub: Sound, out: Path, language: str = "") -> Delivered:
    """Writes the delivery.

    language  of the dub, three letters; empty: as the dub's own file says
    raises    Refused if `out` is an input; DublineError if what was written does not measure like the film
    """
    container = container_of(out)
    for path in (film.path, dub.path, picture.path):
        if out.exists() and out.samefile(path):
            raise Refused(f"The delivery {out} is the same file as {path}, and inputs are never written to.")
    lanes, notes = plan(film, dub, container, language)
    beside = out.with_name(out.name + ".part")
    try:
        dressed(film, picture)
        for lane in lanes:
            if lane.codec == "attach":
                take_out(film, film.streams[lane.index], picture.path.parent)
        programs.ffmpeg(command(film, picture, dub, lanes, container, beside))
        written = probe(beside)
        check(film, written)
        held = probe_sound(beside).samples if container.whole_frames else dub.samples
        exact = bit_exact(dub, written, lanes[1].codec, min(held, dub.samples))
        if lanes[1].codec == "copy" and not exact:
            raise DublineError(f"The dub in {out} has other bytes than {dub.path}. Nothing was delivered.")
        if held != dub.samples:
            what = "filled up with silence" if held > dub.samples else "cut"
            by = abs(held - dub.samples)
            notes.append(f"{container.name} ends its sound with a frame: the dub's end is {what} by {by} samples.")
            exact = exact and held > dub.samples
        beside.replace(out)
    finally:
        beside.unlink(missing_ok=True)
    both = pairs(film, written, [(lane.source, lane.index, lane.codec) for lane in lanes])
    compared = checks(film, written, both, container, picture.lost)
    return Delivered(
        out, exact, (*notes, *(check.said for check in compared if check.said)), written.streams, written.frames,
        written.rate, written.start_timecode, tuple(table(both)), tuple(check.finding() for check in compared),
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


def bit_exact(dub: Sound, written: Film, codec: str, samples: int) -> bool:
    """Whether the delivery's first sound has the dub's samples: the same bytes if it was copied, else decoded alike.

    samples  how many are compared, from the first
    """
    index = written.sounds[0].index
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
def deliver(film: Film, picture: Picture, dub: Sound, out: Path, language: str = "") -> Delivered:
    """Muxes the delivery and measures it."""
    return mux(film, picture, dub, out, language)
