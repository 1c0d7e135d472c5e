"""What is told about a run's life: one fact, as a CloudEvent under the subject of its run."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from contracts.subjects import run_event_subject
from shared.domain.run import RunStatus

SOURCE = "/towpath/runs"

_TYPES = {
    RunStatus.QUEUED: "run.queued",
    RunStatus.RUNNING: "run.started",
    RunStatus.COMPLETED: "run.completed",
    RunStatus.FAILED: "run.failed",
    RunStatus.CANCELLED: "run.cancelled",
}
_TIMES = ("queued_at", "started_at", "finished_at")


@dataclass(frozen=True, slots=True)
class RunEventMessage:
    """One fact of a run's life; `id` names it, so that the stream keeps it once."""

    subject: str
    id: str
    json: bytes


def run_events(runs: Iterable[dict[str, Any]]) -> list[RunEventMessage]:
    """Return what is told of these runs; of a replay nothing is, so that nobody takes it for work that was done."""
    return [run_event(run) for run in runs if run.get("replay") is None]


def run_event(run: dict[str, Any]) -> RunEventMessage:
    """Return the fact that a run, as it is stored, has its present status in its present attempt."""
    type_ = _TYPES[RunStatus(run["status"])]
    id_ = f"{run['_id']}:{run['attempt']}:{run['status']}"
    data: dict[str, Any] = {
        "run_id": run["_id"],
        "agent_key": run["agent_key"],
        "agent_version": run["agent_version"],
        "event_key": run["event_key"],
        "target": run["target"],
        "attempt": run["attempt"],
        "status": run["status"],
        "error": run.get("error"),
        **{name: run.get(name) for name in _TIMES},
    }
    if run.get("usage") is not None:
        data["usage"] = run["usage"]
    event = {
        "specversion": "1.0",
        "id": id_,
        "source": SOURCE,
        "type": type_,
        "dataversion": "1",
        "time": run["changed_at"],
        "datacontenttype": "application/json",
        "organisationid": run["organisation"],
        "projectid": run["project"],
        "userid": run["user"],
        "data": data,
    }
    subject = run_event_subject(run["organisation"], run["user"], run["agent_key"], run["_id"])
    return RunEventMessage(
        subject, id_, orjson.dumps({name: value for name, value in event.items() if value is not None})
    )
