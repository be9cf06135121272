"""Cover pictures in Matroska, which keeps them as attachments: ffmpeg copies them into a second picture instead.

So each is taken out of the film into a file, its bytes as they are, and attached from there.
"""

from pathlib import Path
from typing import Final

from storage.film import programs
from storage.film.probe import Film, Stream

KINDS: Final = {"png": ("image/png", "png"), "mjpeg": ("image/jpeg", "jpg")}  # codec → media type and ending


def attachable(stream: Stream) -> bool:
    """Whether it is a cover picture of a kind that Matroska knows."""
    return "attached_pic" in stream.disposition and stream.codec in KINDS


def cover_file(stream: Stream, folder: Path) -> Path:
    """Where `take_out` puts it."""
    return folder / f"cover-{stream.index}.{KINDS[stream.codec][1]}"


def take_out(film: Film, stream: Stream, folder: Path) -> None:
    """Writes the cover picture into a file of ours."""
    one = ["-map", f"0:{stream.index}", "-c", "copy", "-frames:v", "1", "-update", "1", "-f", "image2"]
    programs.ffmpeg(["-i", str(film.path.absolute()), *one, str(cover_file(stream, folder).absolute())])


def attach(stream: Stream, number: int, folder: Path) -> list[str]:
    """ffmpeg's words for it, as stream `number` of the delivery; behind all that are mapped."""
    media, ending = KINDS[stream.codec]
    name = stream.tags.get("filename") or f"cover.{ending}"
    said = [f"mimetype={media}", f"filename={name}"]
    return ["-attach", str(cover_file(stream, folder).absolute()),
            *(word for tag in said for word in (f"-metadata:s:{number}", tag))]  # fmt: skip
