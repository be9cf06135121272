"""HDR10: on which display a film was graded and how bright it gets, as encoders want to be told."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

from storage.film import programs


def mastering(path: Path, said: dict[str, Any]) -> dict[str, str]:
    """`master-display` and `max-cll` of the first frame, in x265's words. Only looked for where the transfer is PQ.

    said  what ffprobe says of the picture's stream
    """
    if said.get("color_transfer") != "smpte2084":
        return {}
    what = ["-select_streams", str(said["index"]), "-read_intervals", "%+#1", "-show_frames", "-of", "json"]
    frames = json.loads(programs.ffprobe([*what, str(path.absolute())])).get("frames", [])
    found = {side["side_data_type"]: side for frame in frames for side in frame.get("side_data_list", [])}
    found |= {side["side_data_type"]: side for side in said.get("side_data_list", []) if "side_data_type" in side}
    out: dict[str, str] = {}
    if display := found.get("Mastering display metadata"):

        def point(name: str) -> str:
            return f"({round(Fraction(display[name + '_x']) * 50000)},{round(Fraction(display[name + '_y']) * 50000)})"

        low, high = (round(Fraction(display[name]) * 10000) for name in ("min_luminance", "max_luminance"))
        out["master-display"] = (
            f"G{point('green')}B{point('blue')}R{point('red')}WP{point('white_point')}L({high},{low})"
        )
    if light := found.get("Content light level metadata"):
        out["max-cll"] = f"{light['max_content']},{light['max_average']}"
    return out
