"""Batches: one run, the parent, that has a run for each of its users, so many at a time. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.ids import derived_id
from shared.domain.run import ACTIVE, RunStatus

Document = dict[str, Any]

TARGET = "batch"
CHILD_TARGET = "user"
TALLIED = ("queries_executed", "queries_failed")
"""What the runs of a batch count, and the batch adds up."""
MOST_ERRORS = 100
_MOST_DETAIL = 300


@dataclass(frozen=True, slots=True)
class Batch:
    """What a parent runs: for whom, how many at a time, and in which round; each resumption is another round."""

    users: Sequence[str]
    size: int
    round: int = 1


@dataclass(frozen=True, slots=True)
class Child:
    """A run of a batch, as it is now. `proposed` counts the changes that it asks for."""

    user: str
    round: int
    status: RunStatus
    error: Mapping[str, str] | None = None
    tally: Mapping[str, int] | None = None
    proposed: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do next: for whom a run is to be started; or nothing any more, when the batch is over."""

    start: tuple[str, ...]
    is_over: bool


def child_run_id(parent_id: str, user: str, round: int) -> str:
    """Return the id of the only run that a user can have in one round of a batch."""
    return derived_id("run", parent_id, user, str(round))


def plan_of(batch: Batch, children: Iterable[Child]) -> Plan:
    """Decide from what there is: as many runs are open as the batch allows, in the order of its users.

    In a new round those get another run whose last one did not complete.
    """
    latest = latest_of(children)
    wanting = [user for user in batch.users if _wants_run(batch, latest.get(user))]
    open_ = sum(child.status in ACTIVE for child in latest.values())
    start = tuple(wanting[: max(0, batch.size - open_)])
    return Plan(start, is_over=not wanting and not open_)


def latest_of(children: Iterable[Child]) -> dict[str, Child]:
    """Return the last run of each user."""
    return {child.user: child for child in sorted(children, key=lambda child: child.round)}


def progress_of(batch: Batch, children: Sequence[Child]) -> Document:
    """Return how far the batch is, as it is stored and shown.

    Counts of queries and proposals are of all runs, of earlier rounds too. `errors` says why the last run of a user did
    not complete, of at most so many users, in their order; `users_failed` counts them all.
    """
    latest = latest_of(children)
    ended = [user for user in batch.users if user in latest and not _is_to_come(batch, latest[user])]
    failed = [user for user in ended if latest[user].status is not RunStatus.COMPLETED]
    return {
        "users_total": len(batch.users),
        "users_processed": len(ended),
        "users_failed": len(failed),
        **{name: sum((child.tally or {}).get(name, 0) for child in children) for name in TALLIED},
        "enrichments_applied": sum(child.proposed for child in children),
        "errors": [{"user": user, **_error(latest[user])} for user in failed[:MOST_ERRORS]],
        "partial": bool(failed),
    }


def event_for(run: Mapping[str, Any], event: Document) -> Document:
    """Return the event as a run sees it: that of a batch is about its own user only, and names no other."""
    if run.get("parent_id") is None:
        return event
    data = {name: value for name, value in event["data"].items() if name != "batch"}
    return {**event, "userid": run["user"], "data": data}


def _wants_run(batch: Batch, latest: Child | None) -> bool:
    return latest is None or (
        latest.round < batch.round and latest.status not in ACTIVE and latest.status is not RunStatus.COMPLETED
    )


def _is_to_come(batch: Batch, latest: Child) -> bool:
    return latest.status in ACTIVE or _wants_run(batch, latest)


def _error(child: Child) -> Document:
    error = child.error or {"code": child.status.value, "detail": ""}
    return {"code": error["code"], "detail": error["detail"][:_MOST_DETAIL]}
