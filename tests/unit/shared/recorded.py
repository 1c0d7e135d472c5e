"""Runs as the first version stored them, one in each state; recorded, so that they do not change with the code."""

from typing import Any

from tests.unit.shared.given import LATER, NOW

Document = dict[str, Any]

_QUEUED: Document = {
    "_id": "run_1",
    "schema": 1,
    "event_key": "ev_1",
    "event_id": "event-1",
    "event_type": "checkin.submitted",
    "organisation": "acme",
    "project": "apollo",
    "user": "ada",
    "agent_key": "noter",
    "agent_version": 1,
    "target": {"type": "doc", "id": "plan"},
    "lane": "medium",
    "status": "queued",
    "attempt": 0,
    "failures": 0,
    "queued_at": NOW,
    "changed_at": NOW,
    "waiting_for": None,
    "sweep_at": LATER,
}
_STARTED: Document = _QUEUED | {
    "status": "running",
    "attempt": 1,
    "owner": "runner-0",
    "claim": "9f2c",
    "started_at": NOW,
    "lease_expires_at": LATER,
}
_USED = {"input_tokens": 12, "output_tokens": 7, "model_calls": 1}
_ENDED = {key: value for key, value in _STARTED.items() if key not in {"claim", "lease_expires_at"}} | {
    "changed_at": LATER,
    "finished_at": LATER,
    "usage": _USED,
    "output_json": None,
    "effects": [],
}

RECORDED_RUNS: dict[str, Document] = {
    "queued": _QUEUED,
    "running": _STARTED,
    "retrying": {key: value for key, value in _STARTED.items() if key not in {"owner", "claim", "lease_expires_at"}}
    | {
        "status": "queued",
        "failures": 1,
        "usage": _USED,
        "error": {"code": "model_unavailable", "detail": "It hung up."},
        "waiting_for": {"what": "retry", "until": LATER},
    },
    "completed": _ENDED | {"status": "completed", "output_json": '{"summary":"well"}', "error": None},
    "failed": _ENDED | {"status": "failed", "error": {"code": "model_refused", "detail": "The model declined."}},
    "cancelled": _ENDED | {"status": "cancelled", "error": {"code": "agent_disabled", "detail": "Switched off."}},
}
