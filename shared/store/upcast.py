"""Documents of earlier versions, read as if this one had written them."""

from typing import Any

from contracts.lanes import ORDER
from shared.domain.agent_id import version_id

Document = dict[str, Any]

STEP_SCHEMA = 2
RUN_SCHEMA = 5

_RANKS = {lane.value: rank for rank, lane in enumerate(ORDER)}


def upcast_step(step: Document) -> Document:
    """Return a step as this version writes it: the first one had no name, no facts and no error."""
    return step if "schema" in step else {"schema": STEP_SCHEMA, "name": step["kind"], **step}


def upcast_run(run: Document) -> Document:
    """Return a run as this version writes it: the first one had no slots, and counted losses among its failures.

    Before the third, every Agent was the server's; before the fourth, no run was a replay; before the fifth,
    none belonged to a batch.
    """
    if run["schema"] >= RUN_SCHEMA:
        return run
    waiting = run["waiting_for"]
    return {
        "rank": _RANKS[run["lane"]],
        "losses": 0,
        "slots": [],
        "own_limits": {"per_target": None, "per_agent": None},
        "express": False,
        "queue_expires_at": None,
        "run_timeout_seconds": None,
        "cancel": None,
        "agent_version_id": version_id("", run["agent_key"], run["agent_version"]),
        **run,
        "schema": RUN_SCHEMA,
        "waiting_for": None if waiting is None else {"since": run["changed_at"], "detail": "", **waiting},
    }
