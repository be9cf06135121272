"""How a flow calls a step: through Prefect inside a flow run, as a plain function everywhere else (ADR 1).

So `dubline dub` on one machine needs no Prefect server and starts none, and it is the same flow.
"""

from typing import ParamSpec, TypeVar

from prefect import Task
from prefect.context import FlowRunContext

P = ParamSpec("P")
R = TypeVar("R")


def run(step: Task[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """The step's result. In a flow run it has a task run of its name, with its own log and seconds."""
    if FlowRunContext.get() is None:
        return step.fn(*args, **kwargs)
    return step.with_options(task_run_name=step.name)(*args, **kwargs)
