"""What must hold in the database whatever has happened."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from pymongo.database import Database

from shared.doctor.checks import CHECKS, Check
from shared.domain.agent_id import version_id
from shared.store.inspection import Finding

Document = dict[str, Any]

TERMINAL = ["completed", "failed", "cancelled"]
PLACES = tuple(check for check in CHECKS if check.name.startswith("slot_"))
SHOWN = 5
SWEEP_ALLOWANCE = timedelta(seconds=3)


def check_invariants(database: Database[Document]) -> None:
    """Fail, naming every violation, unless the settled database holds what the platform promises."""
    violations = [*broken(database), *_incomplete_decisions(database), *_open_aftermaths(database)]
    assert not violations, "; ".join(violations)


def unfinished(database: Database[Document]) -> list[str]:
    """Name what still has to come to rest, the first few of each kind."""
    undecided = database["events"].find({"sweep_at": {"$exists": True}}).limit(SHOWN)
    active = database["runs"].find({"status": {"$nin": TERMINAL}}).limit(SHOWN)
    ended = database["runs"].find({"status": {"$in": TERMINAL}, "sweep_at": {"$exists": True}}).limit(SHOWN)
    return [
        *(f"event {event['_id']} is not decided, or its runs are not stored" for event in undecided),
        *(f"run {run['_id']} is {run['status']} in attempt {run['attempt']} of {run.get('owner')}" for run in active),
        *(f"run {run['_id']} is {run['status']}, and what follows is not done" for run in ended),
        # A process that is killed between two writes may leave a place, which the scheduler mends within two looks.
        *broken(database, PLACES),
    ]


def broken(database: Database[Document], checks: Sequence[Check] = CHECKS) -> Iterator[str]:
    """Name what the doctor finds: of what goes on by itself only what is late, of everything else all."""
    now = datetime.now(UTC)
    for check in checks:
        probe = check.probe(now - SWEEP_ALLOWANCE if check.is_light else now)
        answers = database[probe.collection].aggregate(probe.counting(SHOWN), **probe.options())
        finding = Finding.read(list(answers))
        if finding.count:
            yield f"{check.name}: {finding.count} ({', '.join(finding.ids)}). {check.promise}"


def _incomplete_decisions(database: Database[Document]) -> Iterator[str]:
    """Name events that do not say of every Agent of the server what was decided; only where these are never changed."""
    triggered = _triggered_agents(database)
    for event in database["events"].find({"dead_letter": None}):
        decided = Counter(decision["agent_key"] for decision in event.get("decisions", ()))
        missing = triggered[event["type"]] - set(decided)
        if not event["gated"] or missing:
            yield f"event {event['_id']} ({event['type']}) has no decision of {sorted(missing) or 'any Agent'}"
        yield from (f"event {event['_id']} is decided twice for {key}" for key, count in decided.items() if count > 1)


def _triggered_agents(database: Database[Document]) -> defaultdict[str, set[str]]:
    triggered: defaultdict[str, set[str]] = defaultdict(set)
    for agent in database["agents"].find({"organisation": None, "published": {"$ne": None}, "archived_at": None}):
        version = database["agent_versions"].find_one({"_id": version_id("", agent["_id"], agent["published"])})
        assert version is not None
        for trigger in orjson.loads(version["spec_json"])["triggers"]:
            triggered[trigger["event"]].add(agent["_id"])
    return triggered


def _open_aftermaths(database: Database[Document]) -> Iterator[str]:
    for run in database["runs"].find({"status": {"$in": TERMINAL}, "sweep_at": {"$exists": True}}):
        yield f"run {run['_id']} is {run['status']} and what follows from it was not done"
