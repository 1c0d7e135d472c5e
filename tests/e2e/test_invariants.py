"""The check of the invariants notices what it is there for."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from tests.support.invariants import check_invariants
from tests.support.servers import RunningServer

Document = dict[str, Any]
Damage = Callable[[Database[Document]], object]

LONG_AGO = datetime.now(UTC) - timedelta(minutes=1)


@pytest.fixture
def database(mongo_server: RunningServer, mongo_database: str) -> Iterator[Database[Document]]:
    """Yield a database with one decided event, its completed run and the run's proposal."""
    with MongoClient[Document](mongo_server.url, tz_aware=True) as client:
        database = client[mongo_database]
        decision = {"agent_key": "reviewer", "outcome": "run", "run_id": "run-1"}
        spec = '{"triggers": [{"event": "doc.created"}]}'
        database["agents"].insert_one({"_id": "reviewer", "published": 1})
        database["agent_versions"].insert_one({"agent_key": "reviewer", "number": 1, "spec_json": spec})
        database["events"].insert_one({"_id": "event-1", "type": "doc.created", "gated": True, "decisions": [decision]})
        database["runs"].insert_one(_run("run-1"))
        database["proposals"].insert_one({"_id": "proposal-1", "run_id": "run-1"})
        yield database


def _run(id: str, **facts: Any) -> Document:
    target = {"type": "doc", "id": "doc-1"}
    common = {"_id": id, "event_key": "event-1", "agent_key": "reviewer", "target": target, "status": "completed"}
    return {**common, "effects": [{"dropped": None}, {"dropped": "known already"}], **facts}


def _set(collection: str, **facts: Any) -> Damage:
    return lambda database: database[collection].update_one({}, {"$set": facts})


def test_a_sound_database_passes(database: Database[Document]) -> None:
    check_invariants(database)


@pytest.mark.parametrize(
    ("damage", "violation"),
    [
        (_set("events", gated=False), "event event-1 .* has no decision"),
        (_set("events", decisions=[]), r"no decision of \['reviewer'\]"),
        (lambda database: database["runs"].delete_one({}), "run run-1 was decided and does not exist"),
        (lambda database: database["runs"].insert_one(_run("run-2", effects=[])), "run-2 exists and was not decided"),
        (lambda database: database["runs"].insert_one(_run("run-2", effects=[])), "2 runs of"),
        (_set("runs", sweep_at=LONG_AGO), "run run-1 is completed and what follows from it was not done"),
        (lambda database: database["proposals"].delete_one({}), "asks for 1 proposals and has 0"),
        (lambda database: database["proposals"].insert_one({"run_id": "run-1"}), "asks for 1 proposals and has 2"),
        (lambda database: database["proposals"].insert_one({"run_id": "run-9"}), "1 proposals of run run-9"),
        (_set("runs", status="running", lease_expires_at=LONG_AGO), "run-1 is running and its lease ended"),
        (_set("runs", status="failed"), r"run run-1 \(failed\) asks for 0 proposals and has 1"),
    ],
    ids=[
        "event not gated",
        "decision missing",
        "run missing",
        "run not decided",
        "run twice",
        "end not followed",
        "proposal missing",
        "proposal twice",
        "proposal of no run",
        "run abandoned",
        "proposal of a failed run",
    ],
)
def test_a_violation_is_named(database: Database[Document], damage: Damage, violation: str) -> None:
    damage(database)

    with pytest.raises(AssertionError, match=violation):
        check_invariants(database)
