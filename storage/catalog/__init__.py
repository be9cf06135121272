"""The catalog: what Dubline remembers. One module a noun; flows write it, everyone may read it."""

from storage.catalog.artifact import Artifact
from storage.catalog.base import Base
from storage.catalog.character import Character
from storage.catalog.consent import Consent
from storage.catalog.episode import Episode, EpisodeStatus
from storage.catalog.event import Event
from storage.catalog.finding import Finding, Verdict
from storage.catalog.route import HELD, PASS_THROUGH, Route
from storage.catalog.shot import Shot, ShotStatus
from storage.catalog.speaker import Side, Speaker
from storage.catalog.step import Step
from storage.catalog.take import Take
from storage.catalog.track import Track
from storage.catalog.turn import Turn

__all__ = [
    "HELD",
    "PASS_THROUGH",
    "Artifact",
    "Base",
    "Character",
    "Consent",
    "Episode",
    "EpisodeStatus",
    "Event",
    "Finding",
    "Route",
    "Shot",
    "ShotStatus",
    "Side",
    "Speaker",
    "Step",
    "Take",
    "Track",
    "Turn",
    "Verdict",
]
