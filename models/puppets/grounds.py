"""What lies behind a puppet, and the textures that lie on it."""

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.puppets.canvas import Picture, hsv, mix

REACH: Final = 1.6  # head units from the middle to the edge of a head's texture
TEXTURE: Final = 224  # pixels a side of it
EVEN: Final = 128  # the texture's value that changes nothing; the gain is value / EVEN
GRAIN: Final = 512  # pixels a side of the tile of film grain

Floats = NDArray[np.float32]


def ground(seed: int, style: str, size: int) -> Picture:
    """(size, size, 3) the same set at any size: a gradient, stripes, a window or a blurred place, with things."""
    rng = np.random.default_rng(seed)
    r = rng.uniform
    a, b = (np.array(hsv(r(), r(0.1, 0.6), r(0.3, 0.95)), np.float32) for _ in range(2))
    ramp = _ramp(size, r(0, 2 * np.pi))
    kind = rng.integers(5)
    if kind == 3:  # stripes
        ramp = np.asarray((ramp * rng.integers(8, 24)) % 2 > 1, np.float32)
    elif kind == 4:  # an unsharp place
        ramp = np.clip(0.5 + 0.6 * _noise(rng, 4, size) + 0.3 * _noise(rng, 9, size), 0, 1)
    picture = _u8(a + ramp[..., None] * (b - a))
    if kind == 4:
        picture = _u8(
            cv2.add(picture, np.repeat(_u8(np.clip(25 + 25 * _noise(rng, 6, size), 0, 255))[..., None], 3, -1))
        )
    for _ in range(int(rng.integers(0, 3) if kind == 4 else rng.integers(2, 9))):
        colour = mix((int(a[0]), int(a[1]), int(a[2])), hsv(r(), 0.5, r(0.2, 1)), r(0.3, 0.9))
        _thing(rng, picture, colour)
    if kind == 2:
        _window(rng, picture)
    if kind == 4:
        picture = _u8(cv2.blur(picture, (size // 24, size // 24)))
    if style == "grain":
        picture = _u8(np.clip(picture + 14 * _noise(rng, 50, size)[..., None], 0, 255))
    if style == "ink":
        grey = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        picture = _u8(cv2.addWeighted(grey, 0.3, np.full_like(grey, (250, 246, 236)), 0.7, 0))
    return picture


def texture(seed: int, style: str) -> Picture | None:
    """(TEXTURE, TEXTURE) gain · EVEN over ±REACH head units, or None where a style lays nothing on the head."""
    rng = np.random.default_rng(seed + 1)
    y, x = (np.mgrid[0:TEXTURE, 0:TEXTURE].astype(np.float32) + 0.5) / TEXTURE * 2 * REACH - REACH
    match style:
        case "grain":
            gain = 1 + 0.07 * _noise(rng, 64, TEXTURE) + 0.07 * _noise(rng, 14, TEXTURE)
        case "shaded":
            light = rng.uniform(-np.pi, 0)
            away = np.hypot(x - 0.55 * np.cos(light), y - 0.55 * np.sin(light))
            gain = 1.14 - 0.55 * np.clip(away / 1.67, 0, 1) ** 1.6
        case "ink":
            gain = _hatched(rng, x, y)
        case "paper":
            gain = 1 + 0.035 * _noise(rng, 100, TEXTURE) + 0.06 * (x - y) / REACH
        case _:
            return None
    return np.asarray(np.clip(gain * EVEN, 0, 255), np.uint8)


def grain(amount: float) -> Picture:
    """(GRAIN, GRAIN, 3) film grain around EVEN, `amount` grey levels in its standard deviation."""
    noise = np.random.default_rng(0).normal(EVEN, amount, (GRAIN, GRAIN, 1))
    return np.repeat(np.clip(np.rint(noise), 0, 255).astype(np.uint8), 3, -1)


def _hatched(rng: np.random.Generator, x: Floats, y: Floats) -> Floats:
    """Pen strokes on the side away from the light, crossed where it is darkest."""
    light = rng.uniform(-np.pi, 0)
    shade = np.hypot(x - 0.5 * np.cos(light), y - 0.5 * np.sin(light)) + 0.08 * _noise(rng, 30, TEXTURE)
    gap = rng.uniform(0.09, 0.13)
    gain = np.ones_like(x)
    for angle, start in ((0.9, 0.85), (-0.6, 1.2)):
        across = (x * np.cos(angle) + y * np.sin(angle)) / gap + 0.15 * _noise(rng, 20, TEXTURE)
        stroke = np.clip((0.32 - np.abs(across % 1 - 0.5)) * 8, 0, 1)
        gain *= 1 - 0.6 * stroke * np.clip((shade - start) * 3, 0, 0.9)
    return np.asarray(gain, np.float32)


def _thing(rng: np.random.Generator, picture: Picture, colour: tuple[int, int, int]) -> None:
    size = len(picture)
    (x0, y0), (x1, y1) = (rng.uniform(0, size, (2, 2))).astype(int).tolist()
    kind = rng.integers(4)
    if kind == 0:
        cv2.rectangle(picture, (x0, y0), (x1, y1), colour, -1)
    elif kind == 1:
        cv2.circle(picture, (x0, y0), int(size * rng.uniform(0.05, 0.2)), colour, -1, cv2.LINE_AA)
    elif kind == 2:
        cv2.line(picture, (x0, y0), (x1, y1), colour, max(1, int(size * rng.uniform(0.005, 0.04))), cv2.LINE_AA)
    else:
        axes = (int(size * rng.uniform(0.05, 0.3)), int(size * rng.uniform(0.02, 0.1)))
        cv2.ellipse(picture, (x0, y0), axes, float(rng.uniform(0, 180)), 0, 360, colour, -1, cv2.LINE_AA)


def _window(rng: np.random.Generator, picture: Picture) -> None:
    size = len(picture)
    x, y, w, h = (int(size * rng.uniform(*span)) for span in ((0, 0.6), (0, 0.3), (0.25, 0.45), (0.3, 0.6)))
    frame = hsv(rng.uniform(), 0.2, rng.uniform(0.5, 1))
    cv2.rectangle(picture, (x, y), (x + w, y + h), hsv(rng.uniform(0.5, 0.65), 0.4, 0.95), -1)
    thick = max(1, size // 50)
    cv2.rectangle(picture, (x, y), (x + w, y + h), frame, thick)
    cv2.line(picture, (x + w // 2, y), (x + w // 2, y + h), frame, thick)
    cv2.line(picture, (x, y + h // 2), (x + w, y + h // 2), frame, thick)


def _ramp(size: int, angle: float) -> Floats:
    at = (np.arange(size, dtype=np.float32) + 0.5) / size - 0.5
    return np.asarray(np.clip(at[None] * np.cos(angle) + at[:, None] * np.sin(angle) + 0.5, 0, 1), np.float32)


def _u8(picture: NDArray[Any]) -> Picture:
    return np.asarray(picture, np.uint8)


def _noise(rng: np.random.Generator, cells: int, size: int) -> Floats:
    """(size, size) smooth noise in about −1 … 1, `cells` bumps across."""
    coarse = rng.uniform(-1, 1, (cells, cells)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC), np.float32)
