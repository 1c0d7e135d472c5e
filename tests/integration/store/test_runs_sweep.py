"""What the sweep asks of runs and does to them."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.run import RunError, RunStatus, Usage, Waiting
from shared.store.mongo import Mongo
from shared.store.run_documents import Return
from shared.store.runs import RunStore
from tests.integration.store.given import LEASE_SECONDS, claimed, completing, expire_lease, queued, run_of
from tests.unit.shared.given import LATER, NOW

LOST = RunError("runner_lost", "Runner runner-1 stopped extending its lease.")


def far_off() -> datetime:
    return datetime.now(UTC) + timedelta(days=1)


async def test_a_queued_run_is_due_some_seconds_after_it_was_queued(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    await queued(runs, "run_1")

    assert await runs.due_for_sweep(NOW, 10) == []
    assert [run["_id"] for run in await runs.due_for_sweep(NOW + timedelta(seconds=3), 10)] == ["run_1"]


async def test_what_is_due_longest_comes_first_and_no_more_than_asked_for(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    for hour in (2, 0, 1):
        await queued(runs, f"run_{hour}", queued_at=NOW + timedelta(hours=hour))

    assert [run["_id"] for run in await runs.due_for_sweep(far_off(), 2)] == ["run_0", "run_1"]


async def test_a_running_run_is_due_when_its_lease_runs_out(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    await claimed(runs)
    lease = (await run_of(mongo))["lease_expires_at"]

    assert await runs.due_for_sweep(lease - timedelta(milliseconds=1), 10) == []
    assert len(await runs.due_for_sweep(lease, 10)) == 1


async def test_an_ended_run_is_due_until_it_is_settled(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    await runs.write_fenced([completing(await claimed(runs))])

    before = await runs.due_for_sweep(far_off(), 10)
    await runs.settle(["run_1"])

    assert [run["_id"] for run in before] == ["run_1"]
    assert await runs.due_for_sweep(far_off(), 10) == []


async def test_a_run_that_has_not_ended_cannot_be_settled(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    await queued(runs, "run_queued")
    await claimed(runs, "run_running")

    await runs.settle(["run_queued", "run_running"])

    assert len(await runs.due_for_sweep(far_off(), 10)) == 2


async def test_a_release_lets_the_run_be_claimed_and_looked_at_again(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    await runs.write_fenced([Return(await claimed(runs), LATER, Usage(), LOST, Waiting.RETRY, LATER)])

    await runs.release([("run_1", far_off())])

    assert (await run_of(mongo))["waiting_for"] is None
    assert await runs.due_for_sweep(LATER + timedelta(hours=1), 10) == []


async def test_a_release_comes_too_late_for_a_run_that_is_running_or_has_ended(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    await claimed(runs, "run_running")
    await runs.write_fenced([completing(await claimed(runs, "run_ended"))])
    before = [await run_of(mongo, run_id) for run_id in ("run_running", "run_ended")]

    await runs.release([("run_running", LATER), ("run_ended", LATER)])
    await runs.release([])

    assert [await run_of(mongo, run_id) for run_id in ("run_running", "run_ended")] == before


async def test_a_lost_run_returns_to_the_queue(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    await claimed(runs, lease_seconds=-1)

    assert await runs.requeue_lost(await run_of(mongo), LATER, LOST)

    run = await run_of(mongo)
    assert (run["status"], run["failures"], run["waiting_for"]) == (RunStatus.QUEUED, 1, None)
    assert run["error"]["code"] == "runner_lost"
    assert not {"lease_expires_at", "claim", "owner"} & run.keys()
    assert [each["attempt"] for each in await runs.claim(["run_1"], "runner-2", LEASE_SECONDS)] == [2]


async def test_a_run_that_was_lost_too_often_fails(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    await claimed(runs, lease_seconds=-1)

    assert await runs.fail_lost(await run_of(mongo), LATER, LOST)

    run = await run_of(mongo)
    assert (run["status"], run["finished_at"], run["error"]["code"]) == (RunStatus.FAILED, LATER, "runner_lost")
    assert len(await runs.due_for_sweep(LATER, 10)) == 1


@pytest.mark.parametrize("came", ["heartbeat", "take-over", "commit"])
async def test_a_run_is_not_lost_when_somebody_was_faster(mongo: Mongo, came: str) -> None:
    runs = RunStore(mongo.database)
    claim = await claimed(runs, lease_seconds=-1)
    seen = await run_of(mongo)
    match came:
        case "heartbeat":
            await runs.extend_leases([claim], "runner-1", LEASE_SECONDS)
        case "take-over":
            await runs.claim(["run_1"], "runner-2", -1)
        case _:
            await runs.write_fenced([completing(claim)])
    before = await run_of(mongo)

    assert not await runs.requeue_lost(seen, LATER, LOST)
    assert not await runs.fail_lost(seen, LATER, LOST)
    assert await run_of(mongo) == before


async def test_a_runner_that_comes_back_too_late_finds_its_run_gone(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    claim = await claimed(runs)
    await expire_lease(mongo)
    await runs.requeue_lost(await run_of(mongo), LATER, LOST)

    assert await runs.extend_leases([claim], "runner-1", LEASE_SECONDS) == [claim]
    assert await runs.write_fenced([completing(claim)]) == [False]
    assert (await run_of(mongo))["status"] == RunStatus.QUEUED


async def test_when_the_queue_was_lost_every_dispatched_run_is_due_and_no_other(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    await queued(runs, "run_queued", queued_at=far_off())
    await claimed(runs, "run_running")
    waiting = await claimed(runs, "run_waiting")
    await runs.write_fenced([Return(waiting, LATER, Usage(), LOST, Waiting.RETRY, far_off())])
    now = datetime.now(UTC).replace(microsecond=0)

    await runs.sweep_dispatched_at(now)

    assert [run["_id"] for run in await runs.due_for_sweep(now, 10)] == ["run_queued"]


async def test_a_run_that_is_settled_is_not_looked_at_again(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    await runs.write_fenced([completing(await claimed(runs, run_id)) for run_id in ("run_1", "run_2")])
    await runs.settle(["run_1"])

    await runs.sweep_again_at([("run_1", NOW), ("run_2", NOW)])

    assert [run["_id"] for run in await runs.due_for_sweep(NOW, 10)] == ["run_2"]
