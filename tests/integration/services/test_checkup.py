"""The leading scheduler reports whether the invariants hold."""

import asyncio
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from services.scheduler.checkup import SUBJECT, Checkup, make_checkup
from services.scheduler.leader import Leader
from shared.doctor.checks import LIGHT
from shared.store.health import HealthStore
from shared.store.leases import LeaseStore
from shared.store.mongo import Mongo
from tests.integration.doctor.given import OLD, changed, fill


@pytest.fixture
def checkup(mongo: Mongo) -> Checkup:
    return make_checkup(mongo, Leader(LeaseStore(mongo.database), "one", 3), grace=timedelta(seconds=60))


async def test_what_is_sound_is_reported_as_that(mongo: Mongo, checkup: Checkup) -> None:
    await fill(mongo)

    await checkup.look()

    report = await HealthStore(mongo.database).read(SUBJECT)
    assert report is not None
    assert report["violations"] == {check.name: 0 for check in LIGHT}
    assert report["unknown"] == []
    assert report["took_ms"] > 0
    assert (await mongo.server_time()) - report["at"] < timedelta(seconds=60)


async def test_what_is_broken_is_counted_and_said(mongo: Mongo, checkup: Checkup) -> None:
    await fill(mongo)
    await checkup.look()
    await changed("runs", "queued", sweep_at=OLD)(mongo)

    with capture_logs() as logged:
        await checkup.look()

    report = await HealthStore(mongo.database).read(SUBJECT)
    assert report is not None
    assert {name: count for name, count in report["violations"].items() if count} == {"run_overdue": 1}
    assert [(line["check"], line["ids"]) for line in logged if line["event"] == "invariant.broken"] == [
        ("run_overdue", ("queued",))
    ]


async def test_only_the_leader_reports(mongo: Mongo, checkup: Checkup) -> None:
    health = HealthStore(mongo.database)
    working = asyncio.create_task(checkup.run())
    try:
        # More round trips than a look takes.
        before = [await health.read(SUBJECT) for _ in range(5 * len(LIGHT))]
        checkup.leader.is_leading.set()
        while await health.read(SUBJECT) is None:
            assert not working.done()
    finally:
        working.cancel()
        await asyncio.wait([working])

    assert not any(before)
