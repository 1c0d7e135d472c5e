"""One run as the API shows it, with all that belongs to it."""

from datetime import datetime
from typing import Any

import orjson

from services.gateway.views import DecisionView, Document, RunView, View, decision_view, run_view
from shared.domain.batch import event_for


class StepErrorView(View):
    """Why a call failed, and in which attempt; a later attempt may have made it again."""

    code: str
    detail: str
    at: datetime
    attempt: int


class StepView(View):
    """A model or tool call. `facts` is what was known before its end; a large result is not shown, only its size."""

    index: int
    kind: str
    name: str
    attempt: int
    started_at: datetime
    finished_at: datetime | None
    facts: dict[str, Any]
    error: StepErrorView | None
    result: Any
    result_bytes: int | None


class TakenEventsView(View):
    """The events that a run stands for, by their keys, in the order in which it took them; `last` is the one it works on."""

    count: int
    last: str
    keys: list[str]


class RunDetail(RunView):
    events: TakenEventsView
    output: Any
    effects: list[dict[str, Any]]
    steps: list[StepView]
    decision: DecisionView | None
    event: dict[str, Any] | None


def run_detail(run: Document, event: Document | None, steps: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a stored run with all that belongs to it."""
    return {
        **run_view(run),
        "events": _taken_events(run),
        "output": _loaded(run.get("output_json")),
        "effects": run.get("effects") or [],
        "steps": [_step_view(step) for step in steps],
        "decision": None if event is None else _decision_of(run.get("parent_id") or run["_id"], event),
        "event": None if event is None else event_for(run, orjson.loads(event["json"])),
    }


def _taken_events(run: Document) -> dict[str, Any]:
    keys = run.get("gathering", {}).get("events", [run["event_key"]])
    return {"count": len(keys), "last": run["event_key"], "keys": keys}


def _decision_of(run_id: str, event: Document) -> dict[str, Any] | None:
    for decision in event.get("decisions") or ():
        if decision.get("run_id") == run_id:
            return decision_view(decision)
    return None


def _step_view(step: Document) -> dict[str, Any]:
    shown = ("index", "kind", "name", "attempt", "started_at", "finished_at")
    return {
        **{name: step[name] for name in shown},
        "facts": step.get("facts", {}),
        "error": step.get("error"),
        "result": _loaded(step.get("result_json")),
        "result_bytes": step.get("result_bytes"),
    }


def _loaded(text: str | None) -> Any:
    return None if text is None else orjson.loads(text)
