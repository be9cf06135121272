"""Measures Dubline and rewrites docs/MEASURED.md: `make bench`, or `python -m tests.bench cuts memory` for some of it.

Every section is measured by one function and replaced as a whole; sections not asked for keep what was measured before.
Nothing here is a test: a slow machine makes a figure worse and nothing red.
"""

import contextlib
import inspect
import io
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil
import soundfile

from flows.demo.film import make
from flows.demo.script import SCENES
from storage.film import programs
from storage.film.probe import probe
from storage.film.read import speech
from tests.bench import (
    binding,
    casting,
    copying,
    cuts,
    farm,
    forty,
    grain,
    listening,
    masters,
    mouths,
    pages,
    puppets,
    samplers,
    senses,
    styles,
)
from tests.whole.studio import Studio, all_planes, sound_of

PAGE: Final = Path(__file__).parents[2] / "docs" / "MEASURED.md"
SHARED: Final = Path(os.environ.get("DUBLINE_SHARED", Path(__file__).parents[3] / "shared"))
EPISODE: Final = SHARED / "media/film/synthetic_episode_grid.mp4"
BATTLE: Final = SHARED / "media/film/multishot_tos_battle_20be8df.mp4"
BRIDGE: Final = next((SHARED / "media/eval").glob("*tos_bridge*"), SHARED / "media/eval/tos_bridge.mp4")
SHOT_S: Final = Fraction(3008, 1000)  # each of the synthetic episode's 20 shots


def whole_films() -> list[str]:
    """Films of the shared media, dubbed into lossless deliveries and compared with their sources.

    The battle has no speech that the voice detector hears, so nothing may change in it; the bridge is a dialogue.
    """
    heads = ("film", "frames in = out", "rate, timecode", "dub bit-exact", "changed", "identical", "outside the routes",
             "outside the mattes")  # fmt: skip
    rows = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    with tempfile.TemporaryDirectory() as folder:
        for film in (EPISODE, BATTLE, BRIDGE):
            studio = Studio(Path(folder) / film.stem, film, reordered(film, Path(folder)))
            out, report, _ = _dub(studio, "--deliver", "ffv1", suffix=".mkv")
            before, after = probe(film), probe(out)
            routed = {n for s in report["shots"] for t in s["tracks"] for a, b in t["ranges"] for n in range(a, b)}
            free = studio.uncovered(report, film)
            changed, touched = set(), 0
            for (n, a), (_, b) in zip(all_planes(film), all_planes(out), strict=True):
                if any((x != y).any() for x, y in zip(a, b, strict=True)):
                    changed.add(n)
                touched += int((a[0] != b[0])[free[n]].sum()) if n in free else 0
            same = before.rate == after.rate and before.start_timecode == after.start_timecode
            cells = (
                film.name, f"{before.frames} = {after.frames}", "equal" if same else "DIFFER",
                np.array_equal(sound_of(out), sound_of(studio.dub)), len(changed), before.frames - len(changed),
                f"{len(changed - routed)} frames differ", f"{touched} pixels differ",
            )  # fmt: skip
            rows.append(f"| {' | '.join(map(str, cells))} |")
    return rows


def memory() -> list[str]:
    """Peak memory of `dubline dub`: the demo's speaking scenes once, and the same four times over."""
    rows = ["| film | seconds | peak of the process tree | ratio |", "|---|---|---|---|"]
    first = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for times in (1, 4):
            place = Path(folder) / str(times)
            film, dub = make(place, tuple(SCENES) * times)
            _, _, peak = _dub(Studio(place, film, dub))
            first = first or peak
            rows.append(
                f"| the demo film × {times} | {float(probe(film).duration):.1f} | {peak:.0f} MiB | {peak / first:.3f} |"
            )
    return rows


def perception_memory() -> list[str]:
    """Peak memory of each step of perception in a process of its own, on a film of tests/scenes repeated by stream copy
    to ten and to forty minutes.
    """
    return forty.rows(SHARED)


def every_master() -> list[str]:
    """Films of 24 frames of every kind and rate, with two sounds, start timecode and colour tags; one take on three
    frames. What stands below the table was looked at in each delivery.
    """
    return masters.rows()


def copied_packets() -> list[str]:
    """Conforming films with grain of which one frame in ten is changed: with the film's own packets, and all of it
    decoded and encoded again. Each in a process of its own.
    """
    return copying.rows()


def overhead() -> list[str]:
    """What `dubline dub` spends outside its steps on a ten-second film."""
    with tempfile.TemporaryDirectory() as folder:
        film, dub = make(Path(folder), tuple(SCENES[1:3]) + tuple(SCENES[:1]))
        began = time.monotonic()
        _, report, _ = _dub(Studio(Path(folder), film, dub))
        total = time.monotonic() - began
        steps = sum(report["seconds"].values())
        length = float(probe(film).duration)
    each = ", ".join(f"{name} {s:.1f}" for name, s in report["seconds"].items())
    return [
        "| film | start to end | in its steps | outside |",
        "|---|---|---|---|",
        f"| {length:.1f} s | {total:.1f} s | {steps:.1f} s | **{total - steps:.1f} s** |",
        "",
        f"Steps: {each}.",
    ]


def grain_of_patches() -> list[str]:
    """Grain planted in a clip of GRID that was enlarged to 900 × 720, the clip dubbed by the shipped starter: energies
    inside the new mouth over those of the plate at the same place; 1 is as in the film. `without` leaves out
    models/face/grain.py. Of a film without grain the rows are the same: what differs from 1 there is sharpness.
    """
    return grain.planted(SHARED)


def found_cuts() -> list[str]:
    """Shot cuts against the truth. The thresholds were set on these two films: read the figures as fitted."""
    return _printed(cuts.main, SHARED / "media/film")


def found_voices_and_faces() -> list[str]:
    """Who speaks (diarization error) and whose face it is, on the synthetic episode and on pairs of faces side by side.

    The settings were chosen partly on the same clips: read the figures as fitted.
    """
    return _printed(casting.main, SHARED)


def whose_face_speaks() -> list[str]:
    """Films cut as real scenes are, whose truth is known (tests/scenes), and the synthetic episode: who is heard, whose
    face is given that voice, which frames are drawn. In frames of faces, in per cent. `right`, `wrong`, `none` and
    `unseen` share the speech of those on screen: the face has its own voice and is drawn, another has it or it has
    another's, no voice (or one it is not sure enough of), no face found. `off screen bound`: speech of those who are
    not seen, given to somebody who is. `wrongly drawn`: of the faces whose character speaks neither in the film nor in
    the dub; `passed`: of those whose character speaks. Five frames at either edge of a turn are not scored. DER with a
    collar of 0.25 s in all, in brackets of 0.25 s on each side, overlap scored. The way of binding (tasks/bind.py) and
    what puts the dub right (tasks/misheard.py) were chosen while these films were looked at; the weights of the senses
    were not. `look` includes LR-ASD's eye.
    """
    return _printed(binding.main, SHARED)


def who_speaks() -> list[str]:
    """Three senses say whether a face speaks (models/active_speaker.py): alone and together, on stretches of GRID. The
    weights that ship were fitted in the same way on another draw of such stretches. `listens`: the same faces before
    their own words, under another's; `speaks otherwise`: their own lips under another's words, which hardly happens
    in a film.
    """
    return _printed(senses.main, SHARED)


def heard_over_a_whole_film() -> list[str]:
    """Who speaks when, on films of up to 40 minutes: errors, voices known again, cost and memory, and what of music and
    effects is taken for speech. `given to another voice` is the share of what is heard that is not the voice of most of
    its speaker's sentences; six people of GRID speak in turn, and a film is listened to in stretches of five minutes.
    """
    return _printed(listening.main, SHARED)


def photographed_or_drawn() -> list[str]:
    """Whether a face is photographed or drawn, frame by frame. The thresholds were set on these pictures."""
    return _printed(styles.main, SHARED / "media")


def drawn_mouths() -> list[str]:
    """Mouths drawn by the shipped starter on people and sentences it was not trained on, clip by clip.

    Up to seven clips of each of twelve people. `one-step U-Net` is the same network, taught as long with the same
    losses but without noise. The sheet is docs/pictures/diff2lip_eval.png. tests/bench/mouths.py says where clips and
    figures are kept; `dubline evaluate` fills the same folder.
    """
    return mouths.drawn(SHARED)


def three_experiments() -> list[str]:
    """The starter taught with fewer losses in the last part of its run: reconstruction alone (`reconstruction`: colour,
    edges, texture, perceptual), with the sync expert (`+ sync`), and with the sequential critic (`+ adversarial`). The
    first 2,800 steps are shared, 500 follow, one clip of each person. Read from what `dubline evaluate` measured. In so
    short a run neither the expert nor the critic (its loss stayed at 2: chance) changed what these figures show.
    """
    return mouths.experiments()


def drawn_characters() -> list[str]:
    """The starter of OmniSync on 104 drawn characters, half of them of species or styles nobody trained on, with voices
    nobody trained on; mouths found by the product's own perception; Diff2Lip forced onto the same clips; and people who
    were photographed and drawn over. The sheet is docs/pictures/omnisync_puppets.png.
    """
    return puppets.drawn(SHARED)


def otherwise_drawn() -> list[str]:
    """The starter of OmniSync drawn otherwise: each setting changed alone, and every prompt, on some of the clips."""
    return puppets.settings()


def other_pairs() -> list[str]:
    """The starter of OmniSync taught 250 steps more from one checkpoint (9,250 steps), by three kinds of pairs: `exact`
    at every noise, as we do; `timed`, exact above t = 850 and another pose of the same puppet below, as the paper does;
    `arbitrary`, another pose everywhere, which is without the paper's rule.
    """
    return puppets.pairs()


def seconds_a_frame() -> list[str]:
    """What a frame of OmniSync's starter costs, all of `render`: hearing, and a call of the network for each step."""
    return puppets.windows()


def omnisyncs_paper() -> list[str]:
    """OmniSync at the size of the paper, which nobody has weights of: what it would cost, counted and not run."""
    return puppets.paper()


def many_shots() -> list[str]:
    """Short shots whose model does nothing, on PostgreSQL, with two workers of two runs each: what a shot costs beside
    its drawing. One row with neighbours in one run, up to 16, as short shots are; one with a run for each shot.
    """
    return farm.many()


def what_is_killed() -> list[str]:
    """SIGKILL while a shot is being drawn, and nobody helps: the seconds from the kill to the delivery of an episode of
    three shots, beside those of an episode that nothing happened to. A process that its worker sees dying is sent again
    after 20 s; one that died with its worker is missed after 90 s without a heartbeat.
    """
    return farm.faults()


def its_pages() -> list[str]:
    """The demo film on a farm, one of its shots made to fail and retried on its page, in headless Chromium. The
    pictures are docs/pictures/farm_episode.png, farm_shots.png, farm_shot.png, farm_retry.png and farm_green.png. What
    lies in a page itself, like its stills, has no host.
    """
    return pages.pages()


def sync_experts() -> list[str]:
    """The shipped sync experts on clips they were not taught on: readings within one frame of all, and the mean margin.

    `seconds` are stretches of 25 windows; `still` is a clip with its first frame all along: nothing can be read in it.
    """
    return mouths.experts(SHARED)


def fewer_steps() -> list[str]:
    """DDIM and DPM-Solver++: how near the mouth comes to that of 25 steps of DDIM, and what a frame costs on one core.

    Clips of three speakers whom the starter has never seen, dubbed with each other's voice, one run for all rows. Time
    is that of the whole renderer. The last level that counts as the same picture is 38 dB.
    """
    return samplers.starter(SHARED / "media/eval")


def the_papers_cost() -> list[str]:
    """One face through the network of the paper with random weights on one core: what it costs, not what it draws."""
    return samplers.paper()


def _printed(measure: Callable[[Path], None], given: Path) -> list[str]:
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        measure(given)
    return ["```", *said.getvalue().rstrip().splitlines(), "```"]


SECTIONS: Final[dict[str, tuple[str, Callable[[], list[str]]]]] = {
    "cuts": ("Shot cuts", found_cuts),
    "casting": ("Voices and faces", found_voices_and_faces),
    "listening": ("Listening", heard_over_a_whole_film),
    "senses": ("Who speaks", who_speaks),
    "binding": ("Whose face speaks", whose_face_speaks),
    "styles": ("Photographed or drawn", photographed_or_drawn),
    "samplers": ("Fewer steps", fewer_steps),
    "paper": ("The paper's network", the_papers_cost),
    "films": ("Whole films", whole_films),
    "grain": ("Grain of patches", grain_of_patches),
    "memory": ("Memory", memory),
    "perception-memory": ("Memory of perception", perception_memory),
    "overhead": ("Outside the steps", overhead),
    "masters": ("Masters in, masters out", every_master),
    "copying": ("Copied packets", copied_packets),
    "mouths": ("Drawn mouths", drawn_mouths),
    "experts": ("Sync experts", sync_experts),
    "experiments": ("Three experiments", three_experiments),
    "puppets": ("OmniSync: drawn characters", drawn_characters),
    "settings": ("OmniSync: drawn otherwise", otherwise_drawn),
    "pairs": ("OmniSync: taught by other pairs", other_pairs),
    "windows": ("OmniSync: seconds a frame", seconds_a_frame),
    "omnisync-paper": ("OmniSync: the size of the paper", omnisyncs_paper),
    "farm-many": ("A farm: many short shots", many_shots),
    "farm-faults": ("A farm: what is killed", what_is_killed),
    "farm-pages": ("A farm: its pages", its_pages),
}


def reordered(film: Path, folder: Path) -> Path:
    """A dub for a film of ours: its own sound, moved round by seven shots' length, exactly as long as the picture."""
    sound = speech(film, folder / f"{film.stem}.16k.wav")
    heard, hz = soundfile.read(str(sound))
    length = int(probe(film).duration * hz)
    heard = np.pad(heard, (0, max(0, length - len(heard))))[:length]
    dub = folder / f"{film.stem}.dub.wav"
    soundfile.write(str(dub), np.roll(heard, -int(7 * SHOT_S * hz)), hz, subtype="PCM_16")
    return dub


def _dub(studio: Studio, *options: str, suffix: str = ".mov") -> tuple[Path, Any, float]:
    """The delivery, its report, and the peak memory of the command and its children in MiB."""
    studio.folder.mkdir(parents=True, exist_ok=True)
    out = studio.folder / f"out{suffix}"
    command = studio.command("dub", studio.film, studio.dub, "-o", out, *options)
    running = subprocess.Popen(command, env=studio.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    peak = 0.0
    watched = psutil.Process(running.pid)
    while True:
        try:
            family = [watched, *watched.children(recursive=True)]
            peak = max(peak, sum(_resident(one) for one in family) / 2**20)
            running.wait(0.1)
            break
        except subprocess.TimeoutExpired:
            continue
        except psutil.NoSuchProcess:
            running.wait()
            break
    if running.returncode not in (0, 1):
        raise SystemExit(running.stderr.read().decode() if running.stderr else "dubline failed")
    return out, json.loads((studio.folder / f"{out.name}.dubline" / "report.json").read_text()), peak


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def main(wanted: Sequence[str]) -> None:
    programs.find("ffmpeg")
    page = PAGE.read_text() if PAGE.exists() else "# Measured\n"
    for key in wanted or SECTIONS:
        title, measure = SECTIONS[key]
        head = f"## {title}\n"
        how = f"`python -m tests.bench {key}`, {time.strftime('%Y-%m-%d')}, {_machine()}"
        said = "\n".join([inspect.cleandoc(measure.__doc__ or ""), "", how, "", *measure()]).rstrip()
        section = f"{head}{said}\n\n"
        old = re.compile(rf"^{re.escape(head)}.*?(?=^## |\Z)", re.M | re.S)
        page = old.sub(lambda _, new=section: new, page) if old.search(page) else f"{page.rstrip()}\n\n{section}"  # type: ignore[misc]
        PAGE.write_text(page.rstrip() + "\n")
        print(section)


def _machine() -> str:
    return f"{psutil.cpu_count()} cores, Python {platform.python_version()}"


if __name__ == "__main__":
    main(sys.argv[1:])
