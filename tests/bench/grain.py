"""Grain planted in a filmed clip, and how much of it a new mouth has: with models/face/grain.py, and without."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from storage.film import programs
from storage.film.pictures import PictureFilm, read_mattes
from storage.film.planes import Planes
from storage.film.probe import Film, probe
from storage.film.read import frames, speech
from tests.whole.studio import Studio, all_planes

CLIP: Final = "grid_s31_bbac2n.mp4"
VOICE: Final = "grid_s31_lgbj5a.mp4"
LARGER: Final = 2.5  # the clip is enlarged by so much, so that the model's crop is coarser than the film
STRENGTH: Final = 10 / 1023  # standard deviation of luma's grain in mid grey; half of it in chroma
FINE: Final = 2.0  # sigma in pixels of what counts as coarse
MOVED: Final = 6.0  # code values of 8 bit by which a new mouth differs from the old one, smoothed
WITHOUT: Final = (
    "import tasks.stage; tasks.stage.measure_grain = lambda pairs: None; from flows.cli import main; main()"
)

Values = NDArray[np.float32]


def planted(shared: Path) -> list[str]:
    """The table: inside the new mouth, over the plate at the same place."""
    rows = ["| film | grain | fine detail of luma | from frame to frame | Cr |", "|---|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        dub = speech(shared / "media/eval" / VOICE, folder / "dub.wav")
        for name, film in _films(shared / "media/eval" / CLIP, folder).items():
            where: list[NDArray[np.bool_]] = []
            for kind in ("without", "with"):
                studio = Studio(folder / film.stem / kind, film, dub)
                figures = _told(studio, kind == "without", where)
                rows.append(f"| {name} | {kind} | {' | '.join(f'{one:.2f}' for one in figures)} |")
    return rows


def _films(clip: Path, folder: Path) -> dict[str, Path]:
    film, chance = probe(clip), np.random.default_rng(6)
    sized = (round(film.width * LARGER), round(film.height * LARGER))
    for name, strength in (("clean", 0.0), ("grain", STRENGTH)):
        with PictureFilm(folder / f"{name}.picture.mkv", "yuv422p10le", film.rate) as out:
            for frame in frames(film):
                out.write(_enlarged(frame.planes, sized, strength, chance))
        with_sound = ["-i", str(folder / f"{name}.picture.mkv"), "-i", str(clip), "-map", "0:v", "-map", "1:a"]
        programs.ffmpeg([*with_sound, "-c:v", "copy", "-c:a", "pcm_s16le", "-shortest", str(folder / f"{name}.mkv")])
    coded = ["-c:v", "libx264", "-crf", "16", "-pix_fmt", "yuv420p", "-c:a", "copy", str(folder / "coded.mkv")]
    programs.ffmpeg(["-i", str(folder / "grain.mkv"), *coded])
    return {
        "10 bit, FFV1": folder / "grain.mkv",
        "the same in 8 bit, H.264, crf 16": folder / "coded.mkv",
        "10 bit, without grain": folder / "clean.mkv",
    }


def _enlarged(planes: Planes, size: tuple[int, int], strength: float, chance: np.random.Generator) -> Planes:
    out = []
    for number, plane in enumerate(planes):
        wide = size if number == 0 else (size[0] // 2, size[1])
        large = np.asarray(cv2.resize(plane.astype(np.float32) * 4, wide, interpolation=cv2.INTER_CUBIC), np.float32)
        noise = cv2.GaussianBlur(chance.standard_normal(large.shape, np.float32), (0, 0), 1.0)
        grey = 4 * np.clip(large / 1023 * (1 - large / 1023), 0, 0.25) if number == 0 else 0.5
        large += 1023 * strength * grey * noise / noise.std()
        out.append(np.clip(np.rint(large), 0, 1023).astype(np.uint16))
    return tuple(out)


def _told(studio: Studio, without: bool, where: list[NDArray[np.bool_]]) -> tuple[float, ...]:
    """Energies inside the new mouth over the plate's: of luma's fine detail, of its change in a frame, of Cr's detail.

    where   the new mouth's pixels in each frame; filled by the first call, so all are measured in the same place
    """
    studio.folder.mkdir(parents=True)
    out = studio.folder / "out.mkv"
    said = studio.command("dub", studio.film, studio.dub, "-o", out, "--deliver", "ffv1", "--allow-length")
    command = [sys.executable, "-c", WITHOUT, *said[3:]] if without else said
    subprocess.run(command, env=studio.environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    report = json.loads((studio.folder / "out.mkv.dubline" / "report.json").read_text())
    film = probe(studio.film)
    shown = _whole(studio, report, film)
    told: list[list[tuple[float, float]]] = [[], [], []]
    last: tuple[Values, Values] | None = None
    for (n, before), (_, after) in zip(all_planes(studio.film), all_planes(out), strict=True):
        scale = np.float32(255 / (2**film.bits - 1))
        old, new = before[0] * scale, after[0] * scale
        if len(where) == n:
            moved = cv2.GaussianBlur(np.asarray(np.abs(new - old), np.float32), (0, 0), 4.0) > MOVED
            where.append(moved & shown.get(n, np.zeros_like(moved)))
        here = where[n]
        if here.any():
            told[0].append(_energies(old, new, here))
            if last is not None:
                told[1].append(_energies(old - last[0], new - last[1], here))
            down, across = (len(here) // len(before[2]), here.shape[1] // before[2].shape[1])
            told[2].append(_energies(before[2] * scale, after[2] * scale, here[::down, ::across]))
        last = old, new
    return tuple(sum(b for _, b in each) / sum(a for a, _ in each) for each in told)


def _whole(studio: Studio, report: Any, film: Film) -> dict[int, NDArray[np.bool_]]:
    """By frame: where the matte of its take is whole."""
    episode, shots = report["episode"], report["shots"]
    shown: dict[int, NDArray[np.bool_]] = {}
    for shot in shots:
        for take in studio.json("show", episode, shot["name"])["takes"]:
            file = studio.home / "artifacts" / take["matte"][:2] / f"{take['matte']}.mkv"
            for (frame, x, y), matte in zip(take["placements"], read_mattes(file), strict=True):
                here = shown.setdefault(frame, np.zeros((film.height, film.width), bool))
                here[y : y + matte.shape[0], x : x + matte.shape[1]] |= matte > 250
    return shown


def _energies(old: Values, new: Values, here: NDArray[np.bool_]) -> tuple[float, float]:
    """Of the fine detail there; the middle of its sizes, squared, so lips and teeth do not count as grain."""
    fine = [one - cv2.GaussianBlur(one, (0, 0), FINE) for one in (old, new)]
    before, after = (float(np.median(np.abs(one[here]))) ** 2 for one in fine)
    return before, after
