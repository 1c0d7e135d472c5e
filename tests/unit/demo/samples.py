"""Events, answers and documents as a demo meets them."""

from typing import Any

from contracts.envelope import Event
from contracts.registry import parse

Json = dict[str, Any]


def checkin(id: str = "checkin-1", organisation: str = "acme", user: str = "ada", **data: Any) -> Event:
    return parse(checkin_json(id, organisation, user, **data))


def checkin_json(id: str = "checkin-1", organisation: str = "acme", user: str = "ada", **data: Any) -> Json:
    return {
        "specversion": "1.0",
        "id": id,
        "source": "/acme",
        "type": "checkin.submitted",
        "time": "2026-11-19T08:30:00Z",
        "organisationid": organisation,
        "projectid": "apollo",
        "userid": user,
        "data": {"date": "2026-11-19", **data},
    }


def fired(user: str, project: str = "apollo") -> Event:
    return parse(
        {
            "specversion": "1.0",
            "id": f"fire-{user}-{project}",
            "source": "/towpath/scheduler",
            "type": "schedule.fired",
            "time": "2026-11-19T09:00:00Z",
            "organisationid": "acme",
            "projectid": project,
            "userid": user,
            "data": {
                "fire_id": f"fire-{user}-{project}",
                "agent_key": "operating_pulse",
                "schedule": "every 900 s",
                "scope": "project",
                "scope_id": project,
                "due_at": "2026-11-19T09:00:00Z",
                "fired_at": "2026-11-19T09:00:00Z",
                "date": "2026-11-19",
                "timezone": "UTC",
            },
        }
    )


def joined(user: str, project: str = "apollo") -> Event:
    return parse(
        {
            "specversion": "1.0",
            "id": f"{user}-{project}",
            "source": "/acme",
            "type": "member.joined",
            "organisationid": "acme",
            "projectid": project,
            "userid": user,
            "data": {},
        }
    )


def started(run_id: str, agent_key: str = "today_checkin_processor") -> Json:
    return {
        "agent_key": agent_key,
        "outcome": "run",
        "run_id": run_id,
        "decided_by": None,
        "explanation": f"{agent_key} starts.",
    }


def skipped(scope: str, agent_key: str = "today_checkin_processor") -> Json:
    return {
        "agent_key": agent_key,
        "outcome": "skipped",
        "run_id": None,
        "decided_by": {"scope": scope, "scope_id": "apollo"},
        "explanation": f"{agent_key} is disabled.",
    }


def run(run_id: str, status: str, error: Json | None = None, changed_at: str = "2026-11-19T08:30:01Z") -> Json:
    return {
        "id": run_id,
        "agent_key": "today_checkin_processor",
        "organisation": "acme",
        "user": "ada",
        "status": status,
        "error": error,
        "usage": {"input_tokens": 100, "output_tokens": 20, "model_calls": 1},
        "changed_at": changed_at,
    }


def memory_diff(id: str, owner: str = "user", confidence: str = "high", status: str = "pending") -> Json:
    return {
        "id": id,
        "kind": "memory_diff",
        "title": "preferences.reviews of ada",
        "status": status,
        "owner": {"type": owner, "id": "ada"},
        "block_label": "preferences",
        "field": "reviews",
        "proposed_value": "Prefers reviews [before] lunch.",
        "confidence": confidence,
        "applied_version": None,
        "run_id": "run_1",
    }


def ticket_change(id: str) -> Json:
    change = {"action": "close", "ticket_id": "APO-1", "title": "Export", "change": "The export is done."}
    return {
        "id": id,
        "kind": "ticket_change",
        "title": "Export",
        "status": "pending",
        "confidence": "medium",
        "change": change,
    }


def duplicate(id: str) -> Json:
    return {
        "id": id,
        "kind": "duplicate",
        "title": "APO-1 and APO-2 are the same",
        "status": "pending",
        "confidence": "high",
        "ticket_ids": ["APO-1", "APO-2"],
        "change": {"ticket_ids": ["APO-1", "APO-2"], "keep": "APO-1"},
    }
