"""The check of the invariants at the end of a test notices what the doctor does, and what only a test can know."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from shared.store.provision import INDEXES
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
        for name in ("events", "runs", "proposals"):
            database[name].create_indexes(INDEXES[name])
        decision = {"agent_key": "reviewer", "outcome": "run", "run_id": "run-1"}
        decided = {"gated": True, "accepted_at": LONG_AGO, "gated_at": LONG_AGO, "decisions": [decision]}
        spec = '{"triggers": [{"event": "doc.created"}]}'
        database["agents"].insert_one({"_id": "reviewer", "published": 1})
        database["agent_versions"].insert_one({"_id": "reviewer:1", "spec_json": spec})
        database["events"].insert_one({"_id": "event-1", "type": "doc.created", **decided})
        database["runs"].insert_one(_run("run-1"))
        database["proposals"].insert_one({"_id": "proposal-1", "run_id": "run-1"})
        yield database


def _run(id: str, **facts: Any) -> Document:
    common = {
        "_id": id,
        "event_key": "event-1",
        "agent_key": "reviewer",
        "target": {"type": "doc", "id": "doc-1"},
        "status": "completed",
        "attempt": 1,
        "changed_at": datetime.now(UTC),
        "finished_at": datetime.now(UTC),
    }
    return {**common, "effects": [{"dropped": None}, {"dropped": "known already"}], **facts}


def _set(collection: str, **facts: Any) -> Damage:
    return lambda database: database[collection].update_one({}, {"$set": facts})


def test_a_sound_database_passes(database: Database[Document]) -> None:
    check_invariants(database)


@pytest.mark.parametrize(
    ("damage", "violation"),
    [
        (_set("events", gated=False, sweep_at=datetime.now(UTC)), "event event-1 .* has no decision"),
        (_set("events", decisions=[]), r"no decision of \['reviewer'\]"),
        (lambda database: database["proposals"].delete_one({}), r"effect_missing: 1 \(run-1\)"),
        (_set("runs", sweep_at=datetime.now(UTC)), "run run-1 is completed and what follows from it was not done"),
        (
            _set("runs", status="running", lease_expires_at=LONG_AGO, sweep_at=LONG_AGO),
            r"lease_over: 1 \(run-1\)",
        ),
    ],
    ids=[
        "event just accepted",
        "decision missing",
        "proposal of a run just ended missing",
        "end just committed",
        "run abandoned",
    ],
)
def test_a_violation_is_named(database: Database[Document], damage: Damage, violation: str) -> None:
    damage(database)

    with pytest.raises(AssertionError, match=violation):
        check_invariants(database)
