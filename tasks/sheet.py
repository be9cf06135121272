"""A sheet of all faces of an episode, so that a person sees who face 7 is."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from models.face.identity import SIDE
from storage.errors import Refused

KINDS: Final = (".jpg", ".jpeg", ".png")
COLUMNS: Final = 8
GAP: Final = 8  # pixels
LINE: Final = 17  # pixels high
INK, PAPER, NONE = (20, 20, 20), (245, 245, 245), (210, 210, 210)


@dataclass(frozen=True, eq=False)
class Portrait:
    """One person."""

    number: int
    name: str
    seen: str  # how long
    picture: bytes  # a JPEG; empty if none was taken


def write(path: Path, portraits: Sequence[Portrait]) -> None:
    """The sheet, in the order given, to a .jpg or .png. raises Refused if it cannot be written there"""
    if path.suffix.lower() not in KINDS:
        raise Refused(f"{path}: a sheet of faces is a .jpg or a .png.")
    if not portraits:
        raise Refused("No face was found in this episode, so there is nothing to show.")
    try:
        sheet(portraits).save(path)
    except OSError as error:
        raise Refused(f"The sheet cannot be written to {path}: {error.strerror or error}.") from None


def sheet(portraits: Sequence[Portrait]) -> Image.Image:
    """Rows of COLUMNS pictures, SIDE pixels each, with number, name and length below."""
    wide, high = SIDE + GAP, SIDE + 2 * LINE + GAP
    across = min(COLUMNS, len(portraits))
    board = Image.new("RGB", (GAP + across * wide, GAP + -(-len(portraits) // across) * high), PAPER)
    draw = ImageDraw.Draw(board)
    for n, each in enumerate(portraits):
        x, y = GAP + n % across * wide, GAP + n // across * high
        if each.picture:
            board.paste(Image.open(BytesIO(each.picture)).resize((SIDE, SIDE)), (x, y))
        else:
            draw.rectangle((x, y, x + SIDE - 1, y + SIDE - 1), NONE)
        for line, text in enumerate((f"{each.number}  {each.name}", each.seen)):
            draw.text((x, y + SIDE + line * LINE), fitting(text), INK, _font())
    return board


def fitting(text: str) -> str:
    """As much of it as a picture is wide."""
    while _font().getlength(text) > SIDE:
        text = text.removesuffix("…")[:-1] + "…"
    return text


@cache
def _font() -> ImageFont.FreeTypeFont:
    """Of matplotlib, so that names in every European script can be written on every machine."""
    import matplotlib

    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", 13)
