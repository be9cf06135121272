"""Pulls: each changed shot as files of its own, for a finishing suite.

Two of each: the shot as it is delivered, with handles, and its patch alone: what was drawn, over black, premultiplied,
with the matte as alpha, so that `patch over film` is the first again. In the handles the film is as it came; at the
film's ends they are shorter, and a note says so.
    prores4444  ep03_sh0120_v001.mov and ep03_sh0120_v001_patch.mov: 4:4:4, 10 bit, the film's matrix, range and colour
                tags, its timecode. RGB films become BT.709.
    exr         folders of those names; R, G, B (and A) as numbers 0 … 1 by the film's matrix and range, half floats up
                to 10 bit and floats above. Each picture bears the number of its timecode's frame. The transfer curve
                is left as it is (a PQ film is PQ in the EXR), and colours beyond 0 … 1 are clipped.
A film of no steady rate is pulled at its mean rate.
Promises: streaming; written beside, then renamed. Deliberately not here: the delivery, and grading.
"""

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from numpy.typing import NDArray

from storage.catalog import Shot, Take
from storage.errors import DublineError
from storage.film.colour import to_rgb
from storage.film.encoders import colour_tags, unjay
from storage.film.pictures import read_mattes, read_pictures
from storage.film.planes import Planes, picture_of, pixel_format, planes_of
from storage.film.probe import Film
from storage.film.read import frames
from storage.film.timecode import timecode
from tasks.conform import FileOf, lay_take
from tasks.timeline import first_label

PullAs = Literal["prores4444", "exr"]
Put = Callable[[Planes, NDArray[np.float32] | None], None]  # one picture, and its alpha 0 … 1

DEEP: Final = 1023  # the largest code value of ProRes 4444 here


@dataclass(frozen=True)
class Pulled:
    """One shot's files."""

    shot: str
    picture: Path  # a film, or a folder of pictures
    patch: Path
    start: int  # frames of the film, with the handles
    end: int
    note: str  # on handles that the film does not have; empty: it has them


def pull(
    film: Film, shot: Shot, takes: Sequence[Take], file_of: FileOf, episode: str, folder: Path, handles: int,
    pull_as: PullAs,
) -> Pulled:  # fmt: skip
    """Writes the shot's two pulls into the folder.

    takes    of this shot, those that lie over it in the delivery
    handles  frames of the film wanted before and after the shot
    """
    start, end = max(0, shot.start - handles), min(film.frames, shot.end + handles)
    before, after = shot.start - start, end - shot.end
    note = ""
    if min(before, after) < handles:
        note = f"{shot.name} is pulled with {before} handles before and {after} after it: the film has no more."
    named = _safe(f"{episode}_{shot.name}_v{max((take.version for take in takes), default=0):03}")
    writer = _exr if pull_as == "exr" else _prores
    suffix = "" if pull_as == "exr" else ".mov"
    picture, patch = folder / f"{named}{suffix}", folder / f"{named}_patch{suffix}"
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as open_files:
        put_picture = open_files.enter_context(writer(picture, film, start, False))
        put_patch = open_files.enter_context(writer(patch, film, start, True))
        for whole, alone, alpha in pictures(film, takes, file_of, start, end):
            put_picture(whole, None)
            put_patch(alone, alpha)
    return Pulled(shot.name, picture, patch, start, end, note)


def pictures(
    film: Film, takes: Sequence[Take], file_of: FileOf, start: int, end: int
) -> Iterator[tuple[Planes, Planes, NDArray[np.float32]]]:
    """For each frame of [start, end): (the film with the takes over it, the patches over black, their alpha 0 … 1).

    raises  DublineError if a take's files are damaged
    """
    empty = black(film)
    reels = [(_drawn(take, file_of), {int(frame) for frame, _, _ in take.placements}) for take in takes]
    for frame in frames(film, start, end):
        whole, alone = list(frame.planes), list(empty)
        alpha = np.zeros((film.height, film.width), np.float32)
        for drawn, reaches in reels:
            if frame.index not in reaches:
                continue
            patch, matte, x, y = next(drawn)
            for under in (whole, alone):
                lay_take(under, patch, matte, x, y, film)
            covered = alpha[y : y + matte.shape[0], x : x + matte.shape[1]]
            covered += (1 - covered) * (matte.astype(np.float32) / 255)
        yield tuple(whole), tuple(alone), alpha


def _drawn(take: Take, file_of: FileOf) -> Iterator[tuple[Planes, NDArray[np.uint8], int, int]]:
    """A take's patches with their mattes and places, in the order of frames."""
    both = zip(read_pictures(file_of(take.patch)), read_mattes(file_of(take.matte)), strict=False)
    for frame, x, y in take.placements:
        try:
            found = next(both, None)
        except av.error.FFmpegError:
            found = None
        if found is None:
            raise DublineError(
                f"Take v{take.version:03} of {take.model} lacks frame {frame}: its patch or matte film "
                f"is damaged. `dubline catalog verify` finds it; then render the shot again."
            )
        yield *found, int(x), int(y)


def black(film: Film) -> Planes:
    """A black picture of the film's size, pixel format and range."""
    layout = pixel_format(film.pix_fmt)
    full = film.colour.range == "pc" or (layout.kinds[0] == "g" and film.colour.range != "tv")
    values = {"y": 0 if full else 16 << (layout.bits - 8), "c": 1 << (layout.bits - 1), "a": (1 << layout.bits) - 1}
    values["g"] = values["y"]
    shapes = layout.shapes(film.height, film.width)
    return tuple(np.full(shape, values[kind], layout.dtype) for kind, shape in zip(layout.kinds, shapes, strict=True))


def deep(planes: Planes, film: Film) -> Planes:
    """The planes as 4:4:4 Y'CbCr of 10 bit, in the film's own range; RGB by BT.709 in limited range. No alpha."""
    layout = pixel_format(film.pix_fmt)
    picture = picture_of(planes, unjay(film.pix_fmt))
    bare = unjay(film.pix_fmt).replace("yuva", "yuv").replace("gbrap", "gbrp")
    if bare != picture.format.name:
        picture = picture_of(planes[: len(layout.kinds.rstrip("a"))], bare)
    rgb = layout.kinds[0] == "g"
    source = ColorRange.JPEG if film.colour.range == "pc" or (rgb and film.colour.range != "tv") else ColorRange.MPEG
    made = picture.reformat(
        format="yuv444p10le", src_colorspace=Colorspace.ITU709, dst_colorspace=Colorspace.ITU709,
        src_color_range=source, dst_color_range=ColorRange.MPEG if rgb else source,
        interpolation=Interpolation.BICUBIC,
    )  # fmt: skip
    return planes_of(made)


@contextmanager
def _prores(path: Path, film: Film, start: int, transparent: bool) -> Iterator[Put]:
    """Writes ProRes 4444 beside and renames it."""
    beside = path.with_name(path.name + ".part")
    pix_fmt = "yuva444p10le" if transparent else "yuv444p10le"
    tags = colour_tags(film)
    if pixel_format(film.pix_fmt).kinds[0] == "g":
        tags |= {"colorspace": "bt709", "color_range": "tv"}
    zero, drop = first_label(film)
    count = 0
    try:
        with av.open(str(beside.absolute()), "w", format="mov") as out:
            out.metadata["timecode"] = timecode(zero + start, film.rate, drop)
            options = {"profile": "4", "vendor": "apl0", **({"alpha_bits": "16"} if transparent else {}), **tags}
            stream: Any = out.add_stream("prores_ks", rate=film.rate, options=options)
            stream.width, stream.height, stream.pix_fmt = film.width, film.height, pix_fmt
            stream.codec_context.time_base = 1 / film.rate
            stream.sample_aspect_ratio = film.sar

            def put(planes: Planes, alpha: NDArray[np.float32] | None) -> None:
                nonlocal count
                coded = deep(planes, film)
                if alpha is not None:
                    coded = (*coded, np.rint(alpha * DEEP).astype(np.uint16))
                picture = picture_of(coded, pix_fmt)
                picture.pts, picture.time_base = count, 1 / film.rate
                out.mux(stream.encode(picture))
                count += 1

            yield put
            out.mux(stream.encode())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def _exr(path: Path, film: Film, start: int, transparent: bool) -> Iterator[Put]:
    """Writes a folder of OpenEXR pictures beside and renames it; one of the same name is replaced."""
    beside = path.with_name(path.name + ".part")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    pix_fmt = "gbrapf32le" if transparent else "gbrpf32le"
    encoder: Any = av.CodecContext.create("exr", "w")
    encoder.width, encoder.height, encoder.pix_fmt = film.width, film.height, pix_fmt
    encoder.time_base, encoder.thread_count = 1 / film.rate, 1
    encoder.options = {"format": "half" if film.bits <= 10 else "float", "compression": "zip16"}
    zero, _ = first_label(film)
    written = given = 0

    def keep(packets: list[Any]) -> None:
        nonlocal written
        for packet in packets:
            (beside / f"{path.name}.{zero + start + written:07}.exr").write_bytes(bytes(packet))
            written += 1

    def put(planes: Planes, alpha: NDArray[np.float32] | None) -> None:
        nonlocal given
        rgb = to_rgb(planes, film, 0, 0, film.width, film.height)
        picture = av.VideoFrame(film.width, film.height, pix_fmt)
        colours = [rgb[..., 1], rgb[..., 2], rgb[..., 0], *([alpha] if alpha is not None else [])]
        for into, values in zip(picture.planes, colours, strict=True):
            rows = np.frombuffer(into, np.float32).reshape(-1, into.line_size // 4)  # type: ignore[call-overload]
            rows[: film.height, : film.width] = values
        picture.pts, picture.time_base = given, 1 / film.rate
        given += 1
        keep(encoder.encode(picture))

    try:
        yield put
        keep(encoder.encode(None))
        if path.exists():
            old = path.with_name(path.name + ".old")
            path.rename(old)
            beside.rename(path)
            shutil.rmtree(old)
        else:
            beside.rename(path)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _safe(name: str) -> str:
    """A name that every system takes as a file's."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name).lstrip(".")
