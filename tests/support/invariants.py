"""What must hold in the database whatever has happened."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from pymongo.database import Database

Document = dict[str, Any]

TERMINAL = ["completed", "failed", "cancelled"]
SHOWN = 5
SWEEP_ALLOWANCE = timedelta(seconds=3)


def check_invariants(database: Database[Document]) -> None:
    """Fail, naming every violation, unless the settled database holds what the platform promises."""
    violations = [
        *_undecided_events(database),
        *_decisions_without_run(database),
        *_runs_without_decision(database),
        *_runs_twice(database),
        *_unsettled_runs(database),
        *_wrong_proposals(database),
        *_abandoned_runs(database),
    ]
    assert not violations, "; ".join(violations)


def unfinished(database: Database[Document]) -> list[str]:
    """Name what still has to come to rest, the first few of each kind."""
    undecided = database["events"].find({"gated": False}).limit(SHOWN)
    active = database["runs"].find({"status": {"$nin": TERMINAL}}).limit(SHOWN)
    ended = database["runs"].find({"status": {"$in": TERMINAL}, "sweep_at": {"$exists": True}}).limit(SHOWN)
    return [
        *(f"event {event['_id']} is not decided" for event in undecided),
        *(f"run {run['_id']} is {run['status']} in attempt {run['attempt']} of {run.get('owner')}" for run in active),
        *(f"run {run['_id']} is {run['status']}, and what follows is not done" for run in ended),
    ]


def _undecided_events(database: Database[Document]) -> Iterator[str]:
    triggered = _triggered_agents(database)
    for event in database["events"].find({}):
        decided = Counter(decision["agent_key"] for decision in event.get("decisions", ()))
        missing = triggered[event["type"]] - set(decided)
        if not event["gated"] or "decisions" not in event or missing:
            yield f"event {event['_id']} ({event['type']}) has no decision of {sorted(missing) or 'any Agent'}"
        yield from (f"event {event['_id']} is decided twice for {key}" for key, count in decided.items() if count > 1)


def _triggered_agents(database: Database[Document]) -> defaultdict[str, set[str]]:
    triggered: defaultdict[str, set[str]] = defaultdict(set)
    for agent in database["agents"].find({}):
        version = database["agent_versions"].find_one({"agent_key": agent["_id"], "number": agent["published"]})
        assert version is not None
        for trigger in orjson.loads(version["spec_json"])["triggers"]:
            triggered[trigger["event"]].add(agent["_id"])
    return triggered


def _decided_runs(database: Database[Document]) -> set[str]:
    return {
        decision["run_id"]
        for event in database["events"].find({}, {"decisions": 1})
        for decision in event.get("decisions", ())
        if decision["outcome"] == "run"
    }


def _decisions_without_run(database: Database[Document]) -> list[str]:
    return [f"run {run_id} was decided and does not exist" for run_id in _decided_runs(database) - _runs(database)]


def _runs_without_decision(database: Database[Document]) -> list[str]:
    return [f"run {run_id} exists and was not decided" for run_id in _runs(database) - _decided_runs(database)]


def _runs(database: Database[Document]) -> set[str]:
    return {run["_id"] for run in database["runs"].find({}, {"_id": 1})}


def _runs_twice(database: Database[Document]) -> Iterator[str]:
    works = Counter(
        (run["event_key"], run["agent_key"], run["target"]["type"], run["target"]["id"])
        for run in database["runs"].find({})
    )
    yield from (f"{count} runs of {work}" for work, count in works.items() if count > 1)


def _unsettled_runs(database: Database[Document]) -> Iterator[str]:
    for run in database["runs"].find({"status": {"$in": TERMINAL}, "sweep_at": {"$exists": True}}):
        yield f"run {run['_id']} is {run['status']} and what follows from it was not done"


def _wrong_proposals(database: Database[Document]) -> Iterator[str]:
    proposed = Counter(proposal["run_id"] for proposal in database["proposals"].find({}, {"run_id": 1}))
    for run in database["runs"].find({"$or": [{"status": "completed"}, {"_id": {"$in": list(proposed)}}]}):
        effects = [effect for effect in run.get("effects", ()) if effect["dropped"] is None]
        wanted = len(effects) if run["status"] == "completed" else 0
        found = proposed.pop(run["_id"], 0)
        if found != wanted:
            yield f"run {run['_id']} ({run['status']}) asks for {wanted} proposals and has {found}"
    yield from (f"{count} proposals of run {run_id}, which does not exist" for run_id, count in proposed.items())


def _abandoned_runs(database: Database[Document]) -> Iterator[str]:
    latest = datetime.now(UTC) - SWEEP_ALLOWANCE
    for run in database["runs"].find({"status": "running"}):
        lease = run.get("lease_expires_at")
        if lease is None or lease < latest:
            yield f"run {run['_id']} is running and its lease ended at {lease}"
