"""A small sound database, and ways to break it."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.store.mongo import Mongo

Document = dict[str, Any]
Damage = Callable[[Mongo], Awaitable[object]]

NOW = datetime.now(UTC)
OLD = NOW - timedelta(minutes=10)
SOON = NOW + timedelta(hours=12)
AS_A_REPLAY = {
    "event_key": "event-of-done",
    "target": {"type": "doc", "id": "done"},
    "replay": {"id": "rpl_1", "of": "done"},
}
UNDECIDED = {"undecided", "replayed", "replayed-in-vain"}


def a_run(id: str, **facts: Any) -> Document:
    """Return a completed and settled run of its own event, with one effect that is a proposal and one that is not."""
    common = {
        "_id": id,
        "event_key": f"event-of-{id}",
        "agent_key": "reviewer",
        "target": {"type": "doc", "id": id},
        "status": "completed",
        "attempt": 1,
        "waiting_for": None,
        "cancel": None,
        "error": None,
        "slots": [],
        "queued_at": OLD,
        "changed_at": OLD,
        "finished_at": OLD,
        "effects": [{"index": 0, "dropped": None}, {"index": 1, "dropped": "the memory says this already"}],
    }
    return {**common, **facts}


def an_open_run(id: str, **facts: Any) -> Document:
    """Return a run that is queued, or running when the facts say so, and holds the slot of its organisation."""
    ended = ("finished_at", "effects")
    open_ = a_run(id, status="queued", attempt=0, slots=["slot-acme"], sweep_at=SOON)
    return {name: value for name, value in open_.items() if name not in ended} | facts


def an_event(run_id: str, **facts: Any) -> Document:
    """Return the event of a run, with the decision that starts it and one that starts nothing."""
    decisions = [
        {"agent_key": "reviewer", "outcome": "run", "reason": "enabled", "run_id": run_id},
        {"agent_key": "noter", "outcome": "skipped", "reason": "disabled", "run_id": None},
    ]
    event = {"_id": f"event-of-{run_id}", "gated": True, "gated_at": OLD, "accepted_at": OLD, "decisions": decisions}
    return event | facts


async def fill(mongo: Mongo) -> None:
    """Put a run in every state into the database, with all that belongs to it."""
    runs = [
        a_run("done"),
        a_run("failed", status="failed", effects=[], error={"code": "model_refused"}),
        a_run("cancelled", status="cancelled", effects=[], cancel={"requested_at": OLD}),
        a_run("undecided", status="cancelled", effects=[], error={"code": "not_decided"}),
        a_run("replayed", **AS_A_REPLAY, effects=[{"index": 0, "dropped": "this run is a replay"}]),
        a_run("replayed-in-vain", **AS_A_REPLAY, status="failed", effects=[], error={"code": "model_refused"}),
        an_open_run("queued"),
        an_open_run("waiting", waiting_for={"what": "retry", "until": SOON}),
        an_open_run("running", status="running", attempt=1, lease_expires_at=SOON),
    ]
    database = mongo.database
    await database["runs"].insert_many(runs)
    await database["events"].insert_many([an_event(run["_id"]) for run in runs if run["_id"] not in UNDECIDED])
    await database["events"].insert_many(
        [
            {"_id": "event-of-undecided", "gated": True, "gated_at": OLD, "accepted_at": OLD, "decisions": []},
            {"_id": "event-just-accepted", "gated": False, "accepted_at": datetime.now(UTC), "sweep_at": SOON},
            {"_id": "event-set-aside", "gated": False, "accepted_at": OLD, "dead_letter": "dead_1"},
        ]
    )
    await database["proposals"].insert_many(
        [
            {"_id": "proposal-1", "run_id": "done"},
            {"_id": "proposal-of-old", "run_id": "deleted-with-age", "is_run_retired": True},
        ]
    )
    await database["memory_versions"].insert_one(
        {"_id": "version-1", "block_id": "block", "version": 1, "author": {"proposal_id": "proposal-1"}}
    )
    await database["dead_letters"].insert_one({"_id": "failed", "kind": "run", "run_id": "failed", "status": "open"})
    await database["jobs"].insert_many(
        [
            {"_id": "job", "unfollowed_since": OLD, "follow_up": {"run_id": "queued"}},
            {"_id": "job-answered", "unfollowed_since": OLD, "follow_up": {"run_id": "failed"}},
        ]
    )
    await database["session_messages"].insert_one({"_id": "answer", "run_id": "failed", "waiting": True})
    await database["slots"].insert_one({"_id": "slot-acme", "limit": 2, "holders": ["queued", "running"]})


def changed(collection: str, id: str, **facts: Any) -> Damage:
    """Return the damage of one document."""
    return lambda mongo: mongo.database[collection].update_one({"_id": id}, {"$set": facts})


def without(collection: str, id: str, *fields: str) -> Damage:
    """Return the loss of fields of a document, or of the whole."""
    if not fields:
        return lambda mongo: mongo.database[collection].delete_one({"_id": id})
    return lambda mongo: mongo.database[collection].update_one({"_id": id}, {"$unset": dict.fromkeys(fields, "")})


def added(collection: str, document: Document) -> Damage:
    """Return the appearance of one document."""
    return lambda mongo: mongo.database[collection].insert_one(document)
