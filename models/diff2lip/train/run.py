"""A training run of Diff2Lip: the losses of the paper, on the network of the paper or the starter's.

It can be killed and started again, and comes out the same: what is learnt at a step follows from the seed and the
step's number, and `FOLDER/run.pt` holds all else. Beside it lie curves.jsonl, curves.png and a sheet of drawn mouths.
Source: eq. 9 of Diff2Lip (arXiv 2308.09716); every number is in training.toml.
"""

from collections.abc import Iterator
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor

from models.corpus.clips import Clip
from models.diff2lip.train import critic
from models.diff2lip.train.critic import Critic
from models.diff2lip.train.expert import Expert
from models.diff2lip.train.recipe import FRAMES, Recipe
from models.diff2lip.train.subject import Drawn, Subject
from models.training import loop


class Run(loop.Run[Recipe]):
    """With a critic, whose own optimiser is `learn_critic`."""

    KEPT = ("network", "average", "critic", "learn", "learn_critic")

    def __init__(self, subject: Subject, recipe: Recipe, folder: Path, machine: Accelerator, expert: Expert) -> None:
        torch.manual_seed(recipe.seed)  # of this process, which trains and does nothing else
        super().__init__(recipe, folder, machine)
        self.subject, self.expert = subject, expert
        self.average = subject.network().requires_grad_(False).to(machine.device)
        network = subject.network().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        network.load_state_dict(self.average.state_dict())
        judge = Critic(subject.told)
        beta = (recipe.critic.betas[0], recipe.critic.betas[1])
        self.network, self.critic, self.learn, self.learn_critic = machine.prepare(
            network,
            judge,
            torch.optim.AdamW(network.parameters(), recipe.rate, betas=(0.9, 0.99), weight_decay=recipe.decay),
            torch.optim.AdamW(judge.parameters(), recipe.critic.rate, betas=beta, weight_decay=0.0),
        )

    def step(self) -> dict[str, float]:
        """One lesson; the weighted losses by name, and the critic's own, of which 2 is chance.

        raises   Diverged before anything is learnt from a loss that is no number
        """
        recipe = self.recipe
        finishing = self.steps / recipe.steps >= recipe.finish_from
        clips, frames = (recipe.finish_clips, FRAMES) if finishing else (recipe.clips, 1)
        drawn = self.subject.draw(self.network, self.steps, clips, frames)
        losses, said = dict(drawn.losses), {}
        if finishing:
            losses |= self._heard_and_seen(drawn)
        if finishing and recipe.losses.adversarial:
            said["critic"] = self._teach_critic(drawn)
            losses |= self._judged(drawn)
        weighted = {name: weight * value for name, value in losses.items() if (weight := self._weight(name))}
        return self.descend(weighted) | said

    def _weight(self, name: str) -> float:
        """Of a loss; the critic's voice rises from nothing while it learns alone."""
        weight = float(getattr(self.recipe.losses, name))
        if name in ("adversarial", "matching") and self.recipe.critic.alone:
            since = self.steps / self.recipe.steps - self.recipe.finish_from
            weight *= min(1.0, since / self.recipe.critic.alone)
        return weight

    def _heard_and_seen(self, drawn: Drawn) -> dict[str, Tensor]:
        """What the frozen expert says of runs of frames."""
        losses, found = self.recipe.losses, {}
        mouths, filmed = (self.subject.mouth(pictures) for pictures in (drawn.picture, drawn.target))
        if losses.perceptual:
            found["perceptual"] = self.expert.distance(mouths, filmed)
        if losses.sync:
            found["sync"] = self.expert.sync(mouths, drawn.clips, drawn.starts, seed=self.steps)
        return found

    def _teach_critic(self, drawn: Drawn) -> float:
        seen, made = (self.critic(pictures, drawn.told) for pictures in (drawn.target, drawn.picture.detach()))
        loss = critic.find_out(seen[-1], made[-1], drawn.weight)
        self.learn_critic.zero_grad()
        self.machine.backward(loss)
        self.learn_critic.step()
        return float(loss.detach())

    def _judged(self, drawn: Drawn) -> dict[str, Tensor]:
        """What the critic thinks of this lesson."""
        verdict = self.critic(drawn.picture, drawn.told)
        with torch.no_grad():
            seen = self.critic(drawn.target, drawn.told)
        return {"adversarial": critic.fool(verdict[-1], drawn.weight), "matching": critic.match(verdict, seen)}


def train(
    subject: Subject, recipe: Recipe, folder: Path, machine: Accelerator, expert: Expert, shown: list[Clip]
) -> Iterator[tuple[int, str]]:
    """Trains to the recipe's last step, from where an earlier run in the same folder stopped.

    shown    clips for the sheet, of people who are not trained on
    returns  (steps done, a line for the log) now and then
    raises   Diverged; `run.pt` is then still the last good one
    """
    run = Run(subject, recipe, folder, machine, expert)
    yield from loop.follow(run, lambda: subject.sheet(run.average, shown), dict)
