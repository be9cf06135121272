"""What one puppet is: its build, its colours and its mouth, drawn by lot."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from models.puppets.canvas import Colour, hsv, luminance, mix
from models.puppets.kinds import MUZZLED, SPECIES, STYLES

FAINT: Final = 0.08  # share of puppets whose lips and mouth are mixed with the skin around them
SMALL: Final = 0.12  # of puppets with a small mouth
LARGE: Final = 0.10  # of puppets with a large one
CLEAR: Final = 70.0  # grey levels between the skin at the mouth and the inside, in all but the faint
SEEN: Final = 30.0  # grey levels between the skin at the mouth and the lips
FILMED: Final = 0.25  # share of puppets under film grain

WHITE: Final = (255, 255, 255)
BLACK: Final = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class Mouth:
    """A mouth in head units."""

    y: float  # where the lips meet
    half: float  # half width at the law's width 0.53
    full: float  # height at the law's open = 1
    smile: float  # how much higher the corners lie
    lip: float  # width of the lips
    upper: float  # share of the opening above y
    square: float  # 2: an almond, 6: nearly a box


@dataclass(frozen=True, slots=True)
class Eyes:
    """Eyes in head units."""

    x: float
    y: float
    radius: float
    iris: float  # share of the radius
    white: bool


@dataclass(frozen=True, slots=True)
class Character:
    """Proportions are in head units, colours in RGB."""

    species: str
    style: str
    skin: Colour
    around: Colour  # the skin at the mouth: the muzzle's, the beard's
    dark: Colour
    accent: Colour
    ink: Colour
    lip: Colour
    inside: Colour
    tongue: Colour
    teeth: Colour
    iris: Colour
    cloth: Colour
    hair_colour: Colour
    head: tuple[float, float, float]  # half width, superellipse power, jaw taper
    eyes: Eyes
    mouth: Mouth
    hair: int  # 0 … 4
    nose: int  # 0 … 2
    worn: frozenset[str]  # glasses, cap, hat, beard, moustache, freckles
    film: float  # grey levels of film grain
    seed: int  # of what lies behind


def random_character(rng: np.random.Generator, species: str | None = None, style: str | None = None) -> Character:
    """A new character; the same generator state draws the same one."""
    r = rng.uniform
    species = species or SPECIES[rng.integers(len(SPECIES))]
    style = style or STYLES[rng.integers(len(STYLES))]
    skin = _skin(rng, species)
    if style == "ink":
        grey = round(luminance(skin))
        skin = mix(mix(skin, (grey, grey, grey), 0.7), (250, 246, 236), r(0.65, 0.9))
    ink = mix(skin, BLACK, r(0.6, 0.9)) if style not in ("outline", "ink") else (20, 16, 24)
    hue = r(-0.04, 0.06)
    hair_colour = hsv(r(0.02, 0.13), r(0.1, 0.75), r(0.15, 0.95)) if r() < 0.8 else hsv(r(), r(0.4, 0.9), r(0.4, 0.95))
    worn = frozenset(thing for thing, share in WORN.items() if r() < share) if species == "human" else frozenset[str]()
    around = mix(skin, WHITE, 0.75 if species == "fox" else 0.45) if species in MUZZLED else skin
    if "beard" in worn:
        around = hair_colour
    inside = hsv(hue, r(0.4, 0.8), r(0.08, 0.26))
    lip = hsv(hue, r(0.35, 0.75), r(0.45, 0.85)) if r() < 0.65 and style != "ink" else ink
    faint = r() < FAINT
    lighter = _lighter(around, inside)
    skin, around = mix(skin, WHITE, lighter), mix(around, WHITE, lighter)
    if "beard" in worn:
        hair_colour = around
    if faint:
        inside, lip = mix(around, inside, r(0.3, 0.5)), mix(around, lip, r(0.1, 0.3))
    elif abs(luminance(lip) - luminance(around)) < SEEN:
        lip = mix(lip, BLACK if luminance(around) > 110 else WHITE, 0.45)
    half = r(*WIDE.get(species, (0.9, 1.0)))
    return Character(
        species=species,
        style=style,
        skin=skin,
        around=around,
        dark=mix(skin, BLACK, r(0.25, 0.5)),
        accent=hsv(r(), r(0.4, 0.9) * (0.15 if style == "ink" else 1), r(0.5, 0.95)),
        ink=ink,
        lip=lip,
        inside=inside,
        tongue=hsv(r(-0.03, 0.03), r(0.4, 0.65) * (0.3 if style == "ink" else 1), r(0.65, 0.9)),
        teeth=mix(WHITE, (235, 220, 180), r()),
        iris=hsv(r(), r(0.4, 0.9), r(0.25, 0.7)),
        cloth=hsv(r(), r(0.3, 0.8) * (0.15 if style == "ink" else 1), r(0.3, 0.9)),
        hair_colour=hair_colour,
        head=(
            half,
            {"robot": r(4, 9), "mug": r(5, 8), "television": r(6, 9), "ghost": 2.6}.get(species, r(2.0, 2.5)),
            r(0.0, 0.22) if species == "human" else 0.0,
        ),
        eyes=Eyes(r(0.32, 0.42) * min(1.0, half / 0.92), r(-0.25, -0.1), r(0.12, 0.19), r(0.45, 0.7), r() < 0.75),
        mouth=_mouth(rng, species, half),
        hair=int(rng.integers(5)),
        nose=int(rng.integers(3)),
        worn=worn,
        film=r(2.0, 6.0) if r() < FILMED else 0.0,
        seed=int(rng.integers(1 << 30)),
    )


WIDE: Final = {
    "human": (0.74, 0.86), "rabbit": (0.78, 0.88), "robot": (0.8, 0.95), "mug": (0.78, 0.9), "ghost": (0.75, 0.88),
    "bear": (0.88, 1.0), "television": (1.0, 1.12), "cloud": (1.0, 1.12), "car": (1.0, 1.1),
}  # fmt: skip
HEIGHT: Final = {
    "cat": 0.50, "bear": 0.54, "rabbit": 0.53, "mug": 0.42, "fruit": 0.40, "ghost": 0.34, "fox": 0.54,
    "television": 0.38, "cloud": 0.33, "car": 0.46,
}  # fmt: skip
WORN: Final = {"glasses": 0.22, "cap": 0.12, "hat": 0.1, "beard": 0.14, "moustache": 0.14, "freckles": 0.18}


def _skin(rng: np.random.Generator, species: str) -> Colour:
    r = rng.uniform
    match species:
        case "human":
            return mix((255, 219, 186), (92, 58, 40), r()) if r() > 0.15 else hsv(r(), 0.45, 0.85)
        case "robot" | "television":
            return hsv(r(), r(0, 0.35), r(0.55, 0.9))
        case "ghost" | "cloud":
            return hsv(r(), r(0.02, 0.25), r(0.85, 1))
        case "fruit":
            return hsv(r(-0.05, 0.4), r(0.5, 0.9), r(0.65, 1))
        case "fox":
            return hsv(r(0.02, 0.09), r(0.5, 0.85), r(0.6, 0.95))
        case _:
            return hsv(r(), r(0.15, 0.75), r(0.45, 0.97))


def _lighter(around: Colour, inside: Colour) -> float:
    """How much white the skin needs so that the inside of the mouth stands clear of it."""
    wanted, there = luminance(inside) + CLEAR, luminance(around)
    return 0.0 if there >= wanted else (wanted - there) / (255 - there)


def _mouth(rng: np.random.Generator, species: str, head: float) -> Mouth:
    r = rng.uniform
    chance, half = r(), r(0.25, 0.35)
    if chance < SMALL:
        half = r(0.16, 0.24)
    elif chance < SMALL + LARGE:
        half = r(0.35, 0.42)
    half = min(half, 0.42 * head)
    full = min(half * r(0.95, 1.35), 0.42)
    square = r(4.0, 9.0) if species == "robot" else r(1.7, 2.6) if r() < 0.75 else r(2.6, 5.0)
    return Mouth(
        HEIGHT.get(species, 0.52) + r(-0.03, 0.05), half, full, r(-0.12, 0.25) * half,
        r(0.02, 0.05) if r() < 0.8 else r(0.05, 0.08), r(0.2, 0.42), square,
    )  # fmt: skip
