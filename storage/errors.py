"""Everything Dubline raises on purpose: what happened, where, why, and what to do next.

DublineError
├── Refused            exit 2  this film, dub or option cannot be used; nothing was started
├── Missing            exit 3  a codec, a checkpoint, a program; `dubline doctor` explains
├── Unreachable        exit 1  the database, the object store or room on a disk was not there; retryable
├── ShotFailed         exit 1  this shot is red, the others go on
│   └── OutOfGpuMemory         retryable
└── TrainingFailed     exit 1  this run learns nothing any more; its last checkpoint is kept
"""

from typing import ClassVar


class DublineError(Exception):
    """What, where and why in one sentence, what to do in the next."""

    exit_code: ClassVar[int] = 1
    retryable: ClassVar[bool] = False


class Refused(DublineError):
    """Bad input or usage. Found before anything was written."""

    exit_code = 2


class Missing(DublineError):
    """Something this machine lacks. Installing it and starting again helps; trying again does not."""

    exit_code = 3


class Unreachable(DublineError):
    """Something outside this process was not there for a moment: the database, the object store, room on a disk.

    Nothing half-written is left behind, so the same thing may be done again; mostly it heals without a person.
    """

    retryable = True


class ShotFailed(DublineError):
    """One shot could not be rendered. It is delivered as the source, and the delivery says so."""


class OutOfGpuMemory(ShotFailed):
    """The card had no room for this window. The next attempt may find it emptier."""

    retryable = True


class TrainingFailed(DublineError):
    """A training run that cannot go on as it is. The message says where its last good checkpoint lies."""
