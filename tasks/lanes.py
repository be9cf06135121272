"""What goes into a delivery, and how: one lane a stream, and ffmpeg's words for all of them.

Pure: from the film's facts and the container's to a plan, notes for a person, and arguments. The mux runs in deliver.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg

from storage.film.containers import Container
from storage.film.language import spelled
from storage.film.probe import Film, Sound, Stream
from tasks.conform import Picture
from tasks.covers import attach, attachable
from tasks.kept import called, reel, title
from tasks.programme import Mode, beside_a_dub, programme


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
        notes.append(f"The dub takes the place of the film's {called(replaced)}, which is left out.")
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
        kept = beside_a_dub(film, stream) if stream.kind == "audio" else stream.disposition
        if stream.kind == "video":
            kept = tuple(word for word in kept if word != "default")
        lanes.append(Lane("film", stream.index, how, kept, rate, hz=hz, kind=stream.kind))
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
    used = list(dict.fromkeys([*(lane.source for lane in lanes), "film"]))
    numbers = {source: number for number, source in enumerate(used)}
    inputs = {
        "picture": ffmpeg.input(str(picture.path.absolute()), **late),
        "dub": ffmpeg.input(str(dub.path.absolute()), **late),
        "film": ffmpeg.input(str(film.path.absolute())),
    }
    options: dict[str, Any] = {"c": "copy", "f": container.form, "map_metadata": numbers["film"],
                               "map_chapters": numbers["film"]}  # fmt: skip
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
    if not {lane.source for lane in lanes if lane.codec != "attach"} & {"film"}:  # its tags and chapters are wanted
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
    if lane.title:
        said.append(f"title={lane.title}")
    if lane.source == "picture" and reel(film):  # MOV's timecode track takes it from the picture
        said.append(f"reel_name={reel(film)}")
    return said


def _colour(film: Film) -> dict[str, str]:
    """Tags that FFV1's stream does not hold, so the container must."""
    colour = film.colour
    said = {"colorspace:v:0": colour.matrix, "color_primaries:v:0": colour.primaries, "color_trc:v:0": colour.transfer,
            "color_range:v:0": colour.range, "chroma_sample_location:v:0": colour.siting}  # fmt: skip
    tags = {option: tag for option, tag in said.items() if tag and tag != "unknown"}
    if film.sar != 1:
        shape = film.sar * film.width / film.height
        tags["aspect:v:0"] = f"{shape.numerator}:{shape.denominator}"
    return tags
