"""Mux the delivery: the conformed picture, the dub, and everything else the film carried.

Promises: the picture is not encoded here; the dub is laid in bit by bit where the container can hold it, and the note
says so where it cannot; the film's other sounds, subtitles, attachments, chapters and tags come along, and what the
container cannot carry is named; written beside, checked by measuring it, then renamed. An input is never written to.
"""

import hashlib
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import ffmpeg
from prefect import task
from prefect.cache_policies import NO_CACHE

from storage.errors import DublineError, Refused
from storage.film import programs
from storage.film.containers import Container, container_of
from storage.film.language import same_language, spelled
from storage.film.probe import Film, Sound, Stream, probe
from storage.film.timecode import frame_of
from tasks.conform import Picture
from tasks.programme import Mode, beside_a_dub, programme

OWN_TAGS: Final = frozenset({"encoder", "major_brand", "minor_version", "compatible_brands", "timecode", "duration"})


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


@dataclass(frozen=True)
class Lane:
    """One stream of the delivery: where it comes from and how it goes in."""

    source: str  # picture, dub, film
    index: int  # of the stream in that file
    codec: str  # copy, or the encoder that it needs
    disposition: tuple[str, ...]
    bit_rate: int | None = None
    language: str = ""
    title: str = ""
    kind: str = "audio"


def plan(
    film: Film, dub: Sound, container: Container, language: str = "", mode: Mode = "add"
) -> tuple[list[Lane], list[str]]:
    """(the delivery's streams in order, notes on what is not carried as it was). Pure.

    mode  add: the dub comes first of the sounds; replace: in the place of the film's programme sound, which goes
    """
    notes: list[str] = []
    codec, bit_rate = container.sound_as(dub.codec, dub.channels)
    if codec == "aac":
        notes.append(
            f"The dub is AAC at {(bit_rate or 0) // 1000} kb/s: players do not read {dub.codec} in {container.name}. "
            f"A delivery that ends in .mov or .mkv keeps it bit by bit."
        )
    elif codec != "copy":
        notes.append(f"The dub is unpacked from {dub.codec} to {codec}, which {container.name} can carry.")
    replaced = programme(film, language) if mode == "replace" else None
    if replaced:
        notes.append(f"The dub takes the place of the film's {_called(replaced)}, which is left out.")
    elif mode == "replace":
        notes.append("The film has no programme sound that the dub could replace, so it is added.")
    titled = any(sound.tags.get("title") for sound in film.sounds)
    spoken = spelled(language, container.form) if language else ""
    laid = Lane("dub", dub.stream, codec, ("default", "dub"), bit_rate, spoken, title="Dub" if titled else "")
    lanes = [Lane("picture", 0, "copy", ("default",), kind="video")]
    if not replaced:
        lanes.append(laid)
    for stream in film.streams:
        if stream is replaced:
            lanes.append(laid)
            continue
        if stream.index == film.picture or (stream.kind == "data" and stream.tag in ("tmcd", "text")):
            continue  # timecode and chapters are written anew
        how, rate = _how(stream, container)
        if not how:
            notes.append(f"{container.name} cannot carry the film's {_called(stream)}; it is left out.")
            continue
        if how != "copy":
            notes.append(f"The film's {_called(stream)} becomes {how}: {container.name} cannot carry {stream.codec}.")
        kept = beside_a_dub(film, stream) if stream.kind == "audio" else stream.disposition
        lanes.append(Lane("film", stream.index, how, kept, rate, kind=stream.kind))
    return lanes, notes


def _how(stream: Stream, container: Container) -> tuple[str, int | None]:
    if stream.kind == "audio":
        return container.sound_as(stream.codec, stream.channels or 2)
    if stream.kind == "subtitle":
        return container.subtitle_as(stream.codec), None
    if stream.kind == "attachment":
        return "copy" if container.attachments else "", None
    if stream.kind == "video":
        held = container.pictures is None or stream.codec in container.pictures
        return "copy" if held and (container.covers or "attached_pic" not in stream.disposition) else "", None
    return "", None


def _called(stream: Stream) -> str:
    kind = "cover picture" if "attached_pic" in stream.disposition else f"{stream.kind} stream"
    name = stream.tags.get("title") or stream.tags.get("filename") or stream.tags.get("language", "")
    return f"{kind} {stream.index} ({', '.join(word for word in (stream.codec, name) if word)})"


def command(film: Film, picture: Path, dub: Sound, lanes: list[Lane], container: Container, to: Path) -> list[str]:
    """ffmpeg's arguments for the mux. Pure, but for paths that are made absolute."""
    # ffmpeg moves each file to begin at 0. Where the film's picture began after its sound, it does so again.
    late = {"itsoffset": f"{float(film.head):.6f}"} if film.head else {}
    # ffmpeg-python numbers the inputs as they are first used, and `-map_metadata` needs the number.
    used = list(dict.fromkeys([*(lane.source for lane in lanes), "film"]))
    numbers = {source: number for number, source in enumerate(used)}
    inputs = {
        "picture": ffmpeg.input(str(picture.absolute()), **late),
        "dub": ffmpeg.input(str(dub.path.absolute()), **late),
        "film": ffmpeg.input(str(film.path.absolute())),
    }
    options: dict[str, Any] = {"c": "copy", "f": container.form, "map_metadata": numbers["film"],
                               "map_chapters": numbers["film"]}  # fmt: skip
    options |= dict(container.flags) | _colour(film)
    for number, lane in enumerate(lanes):
        if lane.codec != "copy":
            options[f"c:{number}"] = lane.codec
        if lane.bit_rate:
            options[f"b:{number}"] = lane.bit_rate
        options[f"disposition:{number}"] = "+".join(lane.disposition) or "0"
        source, index = ("film", film.picture) if lane.source == "picture" else (lane.source, lane.index)
        options[f"map_metadata:s:{number}"] = f"{numbers[source]}:s:{index}"
        if lane.language:
            options[f"metadata:s:{number}"] = f"language={lane.language}"
        if lane.title:  # the same stream by another name, for no option can be given twice
            options[f"metadata:s:a:{[each for each in lanes if each.kind == 'audio'].index(lane)}"] = (
                f"title={lane.title}"
            )
    if film.start_timecode:
        options["metadata"] = f"timecode={film.start_timecode}"
    if film.codec == "hevc" and container.form in ("mov", "mp4"):
        options["tag:v:0"] = "hvc1"  # the spelling that Apple's players open
    mapped = [inputs[lane.source][str(lane.index)] for lane in lanes]
    arguments = [str(word) for word in ffmpeg.get_args(ffmpeg.output(*mapped, str(to.absolute()), **options))]
    if "film" not in {
        lane.source for lane in lanes
    }:  # nothing of the film is mapped, yet its tags and chapters are wanted
        end_of_inputs = arguments.index("-map")
        arguments[end_of_inputs:end_of_inputs] = ["-i", str(film.path.absolute())]
    return arguments


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
        programs.ffmpeg(command(film, picture.path, dub, lanes, container, beside))
        written = probe(beside)
        check(film, written)
        if len(written.sounds) != len(sounds):
            raise DublineError(
                f"{out} got {len(written.sounds)} sounds instead of {len(sounds)}. It was not kept; our bug."
            )
        into = written.sounds[sounds.index(laid)]
        exact = bit_exact(dub, written, laid.codec, into.index)
        if laid.codec == "copy" and not exact:
            raise DublineError(f"The dub in {out} has other bytes than {dub.path}. Nothing was delivered.")
        beside.replace(out)
    finally:
        beside.unlink(missing_ok=True)
    return Delivered(
        out, exact, (*notes, *differences(film, written, container), *_of_the_dub(dub, into, laid, container)),
        written.streams, written.frames, written.rate, written.start_timecode, into.index,
        written.sounds[sounds.index(kept)].index if kept else None, kept is not None and kept.codec == "copy",
    )  # fmt: skip


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
    if lane.language and not same_language(written.tags.get("language", ""), lane.language):
        notes.append(f"{container.name} does not keep the dub's language, {lane.language}.")
    return notes


def bit_exact(dub: Sound, written: Film, codec: str, index: int) -> bool:
    """Whether this stream has the dub's samples: the same bytes if it was copied, else decoded alike."""
    if codec == "copy" and _bytes_of(dub.path, dub.stream) == _bytes_of(written.path, index):
        return True
    return codec != "aac" and _samples_of(dub.path, dub.stream) == _samples_of(written.path, index)


def _bytes_of(path: Path, stream: int) -> str:
    digest = hashlib.sha256()
    with av.open(str(path.absolute()), metadata_errors="replace") as container:
        for packet in container.demux(container.streams[stream]):
            if packet.size:
                digest.update(bytes(packet))
    return digest.hexdigest()


def _samples_of(path: Path, stream: int) -> str:
    sound = ffmpeg.input(str(path.absolute()))[str(stream)]
    return programs.ffmpeg(ffmpeg.output(sound, "-", acodec="pcm_s32le", format="hash", hash="sha256"))


def differences(film: Film, written: Film, container: Container) -> list[str]:
    """What the container did not keep, found by measuring."""
    notes = []
    for name in ("matrix", "primaries", "transfer", "range"):
        was, became = getattr(film.colour, name), getattr(written.colour, name)
        if was and was != "unknown" and became != was and (was, became) != ("tv", None):  # limited is what none means
            notes.append(
                f"{container.name} does not keep the colour tag {name} = {was}; it reads {became or 'nothing'}."
            )
    if written.sar != film.sar:
        notes.append(f"The shape of a pixel was {film.sar} and reads {written.sar}.")
    if written.chapters != film.chapters:
        notes.append(f"The film has {film.chapters} chapters, the delivery {written.chapters}.")
    lost = sorted(film.tags.keys() - written.tags.keys() - OWN_TAGS)
    if lost:
        notes.append(f"{container.name} does not keep the tags {', '.join(lost)}.")
    return notes


@task(cache_policy=NO_CACHE)
def deliver(
    film: Film, picture: Picture, dub: Sound, out: Path, language: str = "", mode: Mode = "add"
) -> Delivered:  # fmt: skip
    """Muxes the delivery and measures it."""
    return mux(film, picture, dub, out, language, mode)
