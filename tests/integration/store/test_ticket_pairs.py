"""Verdicts on pairs of tickets hold once the run that found them has completed."""

import pytest

from shared.domain.run import RunStatus
from shared.domain.ticket import JudgedPair
from shared.store.mongo import Mongo
from shared.store.ticket_pairs import TicketPairStore

PAIR = JudgedPair(("T-1", "T-2"), ("one", "two"), "neither")


async def judged_by(mongo: Mongo, status: RunStatus | None) -> TicketPairStore:
    """Have a run judge the pair, and be in this status; without one it was deleted with age."""
    pairs = TicketPairStore(mongo.database)
    await pairs.record("acme", "apollo", "run_1", [PAIR])
    if status is not None:
        await mongo.database["runs"].insert_one({"_id": "run_1", "status": status})
    return pairs


@pytest.mark.parametrize(
    ("status", "kept"),
    [
        (RunStatus.COMPLETED, True),
        (RunStatus.RUNNING, True),
        (RunStatus.FAILED, False),
        (RunStatus.CANCELLED, False),
        (None, False),
    ],
)
async def test_a_verdict_holds_when_its_run_has_completed(mongo: Mongo, status: RunStatus | None, kept: bool) -> None:
    pairs = await judged_by(mongo, status)

    judged = await pairs.judged("acme", "apollo")

    assert judged == ({PAIR.tickets: PAIR} if status is RunStatus.COMPLETED else {})
    assert await mongo.database["ticket_pairs"].count_documents({}) == int(kept)


async def test_a_verdict_outlives_its_run_once_it_holds(mongo: Mongo) -> None:
    pairs = await judged_by(mongo, RunStatus.COMPLETED)
    await pairs.judged("acme", "apollo")
    await mongo.database["runs"].delete_many({})

    assert await pairs.judged("acme", "apollo") == {PAIR.tickets: PAIR}
    assert await pairs.judged("globex", "apollo") == {}


async def test_pairs_are_forgotten_in_their_own_project_alone(mongo: Mongo) -> None:
    pairs = await judged_by(mongo, RunStatus.COMPLETED)

    await pairs.forget("globex", "apollo", [PAIR.tickets])
    assert await pairs.judged("acme", "apollo") == {PAIR.tickets: PAIR}
    await pairs.forget("acme", "apollo", [PAIR.tickets])
    assert await pairs.judged("acme", "apollo") == {}
