"""What a picture carries beside its pixels, and what of it an encoder writes again.

A decoded picture bears side data: captions, light levels, Dolby Vision. Encoded anew from its planes alone it would
come out without them. PyAV can read side data and cannot set them, so a picture that has some is encoded as a twin of
the decoded one, into which the new planes are laid.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

import av
import numpy as np

from storage.film.planes import Planes, picture_of, pixel_format

# The names are those of ffmpeg's AVFrameSideDataType. What is not here is either still (mastering display, light level,
# rotation: of the whole stream, see storage.film.mastering) or a decoder's talk about itself.
CALLED: Final[Mapping[str, str]] = {
    "A53_CC": "embedded captions (CEA-608/708)",
    "AFD": "active format description",
    "S12M_TIMECODE": "timecodes of single pictures",
    "GOP_TIMECODE": "timecodes of groups of pictures",
    "DOVI_RPU_BUFFER": "Dolby Vision",
    "DYNAMIC_HDR_PLUS": "HDR10+",
    "DYNAMIC_HDR_VIVID": "HDR Vivid",
    "FILM_GRAIN_PARAMS": "film grain that the player draws",
    "PANSCAN": "pan and scan",
    "STEREO3D": "stereoscopy",
}
WRITTEN: Final[Mapping[str, frozenset[str]]] = {
    "libx264": frozenset({"A53_CC"}),
    "libx265": frozenset({"A53_CC"}),
}


def beside(decoded: Any) -> frozenset[str]:
    """Which of `CALLED` a decoded picture (av.VideoFrame) carries."""
    return frozenset(said.type.name for said in decoded.side_data) & CALLED.keys()


def picture_with(planes: Planes, pix_fmt: str, decoded: Any, encoder: str) -> Any:
    """A picture (av.VideoFrame) for the encoder, with the side data of `decoded` that `encoder` can write.

    raises  ValueError if the planes' shapes are not those of `pix_fmt`
    """
    picture: Any = picture_of(planes, pix_fmt)
    if decoded is None or not beside(decoded) & WRITTEN.get(encoder, frozenset()):
        return picture
    twin: Any = _twin(decoded)
    if twin.format.name != pix_fmt:  # yuvj420p; the pixels are replaced anyway
        twin = twin.reformat(format=pix_fmt)
    width = pixel_format(pix_fmt).dtype().itemsize
    for into, plane in zip(twin.planes, picture.planes, strict=True):
        rows, given = (np.frombuffer(each, np.uint8).reshape(-1, each.line_size) for each in (into, plane))
        rows[: plane.height, : plane.width * width] = given[: plane.height, : plane.width * width]
    twin.pict_type = 0  # else the encoder would make a key frame of each that was one in the film
    return twin


def _twin(decoded: Any) -> Any:
    """The same picture in memory of its own, side data included: the decoder may still look at its own."""
    graph = av.filter.Graph()
    door = graph.add_buffer(
        width=decoded.width, height=decoded.height, format=decoded.format, time_base=decoded.time_base or Fraction(1, 1)
    )
    graph.link_nodes(door, graph.add("copy"), graph.add("buffersink")).configure()
    graph.vpush(decoded)
    return graph.vpull()
