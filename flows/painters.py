"""The models of this process: which may be used for a job, and each loaded once."""

import hashlib
import importlib
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import models
from flows.scene import Painter
from models import registry
from models.lipsync import LipSync
from storage.errors import DublineError, Missing, Refused
from storage.settings import settings
from tasks.job import EpisodeJob
from tasks.rules import rules


def check(job: EpisodeJob) -> dict[str, str]:
    """Whether the job's models can be had here, before an hour is spent on looking at faces.

    Returns the models that the rules may choose and that cannot be had, each with the reason: faces are not sent there.

    raises  Refused as `permit` does; Missing if the weights of the job's model, or those of every model that it may
            choose, are not on this machine
    """
    barred = permit(job)
    wanted = [job.model] if job.model else [name for name in rules().models if name not in barred]
    return barred | _lacking(wanted, lambda name: _weights(name, job.variant), "its weights are not on this machine")


def permit(job: EpisodeJob) -> dict[str, str]:
    """The models that the rules may choose and the job may not use, each with the reason: what any machine can know.

    raises  Refused if there is no such model, variant or prompt, or the licence of the job's model, or those of every
            model that it may choose, forbid the job's purpose; and for a table of rules that is wrong
    """
    known = {prompt for name in registry.names() for prompt in registry.prompts(name) if prompt}
    if job.prompt and job.prompt not in known:
        listed = ", ".join(f"'{prompt}'" for prompt in sorted(known)) or "none yet"
        raise Refused(f"No model knows the prompt '{job.prompt}'. The prompts are: {listed}.")
    choices = rules().models  # a table that is wrong is refused though its choices are not asked for
    wanted = [job.model] if job.model else choices
    forbids = f"the licence of its {job.variant} weights forbids {job.purpose} work"
    return _lacking(wanted, lambda name: allow(name, job.variant, job.purpose), forbids)


def _lacking(names: Sequence[str], ask: Callable[[str], object], why: str) -> dict[str, str]:
    """Those for which `ask` ends in words, each with `why`; if it does so for all of them, in its first words."""
    said = {name: error for name in names if (error := _refusal(ask, name)) is not None}
    if said and len(said) == len(names):
        raise next(iter(said.values()))
    return dict.fromkeys(said, why)


def _refusal(ask: Callable[[str], object], name: str) -> DublineError | None:
    try:
        ask(name)
    except (Refused, Missing) as error:
        return error
    return None


def allow(name: str, variant: str, purpose: str) -> None:
    """Refused if there is no such model or variant, or its licence forbids the purpose. Looks for no weights."""
    try:
        licence = registry.licence(name, variant)
    except ValueError as error:
        raise Refused(f"This model cannot be had: {error}.") from None
    if purpose == "commercial" and not licence.commercial:
        raise Refused(
            f"The weights of {name} {variant} may not be used commercially: {licence.licence}, "
            f"{licence.source}. Choose another --variant, or --purpose research."
        )


@cache
def painter(name: str, variant: str) -> Painter:
    """What the model's answers depend on. Its weights are read, it is not loaded.

    raises  Missing if its weights are not on this machine
    """
    path = _weights(name, variant)
    weights = registry.fingerprint(path) if path else hashlib.sha256(variant.encode()).hexdigest()
    return Painter(_code(name), weights, registry.prompts(name))


@cache
def loaded(name: str, variant: str) -> LipSync:
    """The model that draws. Loaded once, not once a shot.

    raises  Missing if one of its files is not there, Refused if one is no checkpoint of this model
    """
    try:
        return registry.renderer(name, variant, weights=_weights(name, variant))
    except FileNotFoundError as error:
        raise Missing(
            f"{name} {variant} needs {error.filename}, which is not there. docs/MANUAL.md lists its files."
        ) from None
    except registry.BadCheckpoint as error:
        raise Refused(f"The weights of {name} {variant} cannot be used. {error}.") from None


def _weights(name: str, variant: str) -> Path | None:
    """The checkpoint: in the package for `starter`, the user's for `paper`; `tiny` draws its numbers at random."""
    if variant == "tiny":
        return None
    if variant == "starter":
        places = [Path(importlib.import_module(f"models.{name}.render").WEIGHTS)]
    else:
        folder = settings().weights
        places = [folder / f"{name}{suffix}" for suffix in (".safetensors", ".pt", ".pth")] if folder else []
    if found := next((place for place in places if place.is_file()), None):
        return found
    looked = ", ".join(map(str, places)) or "nowhere: DUBLINE_WEIGHTS is not set"
    raise Missing(f"The weights of {name} {variant} are missing; looked for {looked}. `dubline doctor` tells more.")


def _code(name: str) -> str:
    """sha256 of the model's source, of how faces are cut and how sound is heard: another code is another question."""
    home = Path(next(iter(models.__path__)))
    digest = hashlib.sha256()
    for room in (name, "face", "audio"):
        for source in sorted((home / room).glob("*.py")):
            digest.update(source.read_bytes())
    return digest.hexdigest()
