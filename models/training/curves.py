"""What a training run leaves to look at."""

import json
from pathlib import Path

import cv2
import numpy as np
from matplotlib.figure import Figure
from torch import Tensor


def cut(log: Path, steps: int) -> None:
    """Drops what was written after the checkpoint that a run goes on from."""
    if log.exists():
        rows = log.read_text().splitlines(keepends=True)
        log.write_text("".join(row for row in rows if json.loads(row)["step"] <= steps))


def draw(log: Path, out: Path) -> None:
    """Every loss of a curves.jsonl over its steps, each on an axis of its own."""
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    names = [name for name in {key: None for row in rows for key in row} if name not in ("step", "seconds")]
    figure = Figure(figsize=(10, 2 * len(names)), layout="constrained")
    for place, name in enumerate(names, start=1):
        axis = figure.add_subplot(len(names), 1, place)
        known = [row for row in rows if name in row]
        axis.plot([row["step"] for row in known], [row[name] for row in known])
        axis.set_ylabel(name)
    figure.savefig(out, dpi=80)


def picture(board: Tensor, out: Path) -> None:
    """(3, H, W) in −1 … 1 as a PNG, half as large again."""
    pixels = ((board.permute(1, 2, 0).numpy() + 1) * 127.5).round().clip(0, 255).astype(np.uint8)
    size = (pixels.shape[1] * 3 // 2, pixels.shape[0] * 3 // 2)
    cv2.imwrite(str(out), cv2.resize(pixels[..., ::-1], size, interpolation=cv2.INTER_CUBIC))
