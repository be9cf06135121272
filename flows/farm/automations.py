"""What the server does by itself about runs whose process or machine is gone.

1. No heartbeat for 90 s: Crashed. The server never notices a lost machine.
2. Crashed, and nothing else for 20 s: tried again, three attempts in all. At once would be wrong: a worker that still
   lives reports the crash too, and that late report would crash the new attempt.

Promises: asked again, what stands as it should is left alone with what it has seen; only ours are touched, by name.
"""

from datetime import timedelta
from typing import Final

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification

from flows.farm.env import HEARTBEAT_SECONDS

SILENCE: Final = timedelta(seconds=3 * HEARTBEAT_SECONDS)
SETTLING: Final = timedelta(seconds=20)
ATTEMPTS: Final = 3


def _events(*names: str) -> set[str]:
    return {f"prefect.flow-run.{name}" for name in names}


# The server gives a deployment's tags (prefect.yaml) to every run of it.
OUR_RUNS: Final = ResourceSpecification(
    {"prefect.resource.id": ["prefect.tag.shot", "prefect.tag.episode"], "prefect.resource.role": ["tag"]}
)

ENDS: Final = ("Completed", "Failed", "TimedOut", "Cancelled", "Crashed", "AwaitingRetry", "Suspended", "Paused")
MOVES: Final = (
    "AwaitingRetry", "Scheduled", "Pending", "Running", "Retrying", "Cancelled", "Completed", "Failed",
)  # fmt: skip

AUTOMATIONS: Final = (
    AutomationCore(
        name="dubline: no heartbeat",
        description="A run that was not heard of for three heartbeats has lost its process or its machine.",
        trigger=EventTrigger(
            posture=Posture.Proactive,
            after=_events("heartbeat"),
            expect=_events("heartbeat", *ENDS),
            within=SILENCE,
            threshold=1,
            match=ResourceSpecification({"prefect.resource.id": ["prefect.flow-run.*"]}),
            match_related=OUR_RUNS,
            for_each={"prefect.resource.id"},
        ),
        actions=[
            ChangeFlowRunState(
                state=StateType.CRASHED,
                name="Crashed",
                force=False,
                message=f"No heartbeat for {SILENCE.seconds} s: its process or its machine is gone",
            )
        ],
    ),
    AutomationCore(
        name="dubline: crashed, try again",
        description="What crashed is tried again, three attempts in all. Nothing finished is computed again.",
        trigger=EventTrigger(
            posture=Posture.Proactive,
            after=_events("Crashed"),
            expect=_events(*MOVES),
            within=SETTLING,
            threshold=1,
            match=ResourceSpecification(
                {
                    "prefect.resource.id": ["prefect.flow-run.*"],
                    "prefect.run-count": [str(number) for number in range(ATTEMPTS)],
                }
            ),
            match_related=OUR_RUNS,
            for_each={"prefect.resource.id"},
        ),
        actions=[
            ChangeFlowRunState(
                state=StateType.SCHEDULED, name="AwaitingRetry", message="Tried again after a crash", force=True
            )
        ],
    ),
)


def install(client: SyncPrefectClient) -> None:
    """Create what is not there, change what differs, leave the rest."""
    for wanted in AUTOMATIONS:
        known = client.read_automations_by_name(wanted.name)
        if not known:
            client.create_automation(wanted)
        elif _asks(known[0]) != _asks(wanted):
            client.update_automation(known[0].id, wanted)
        for double in known[1:]:
            client.delete_automation(double.id)


def _asks(automation: AutomationCore) -> dict[str, object]:
    return automation.model_dump(mode="json", include={"description", "trigger", "actions"})
