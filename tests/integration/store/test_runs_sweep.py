"""What the sweep asks of runs and does to them."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from contracts.lanes import Lane
from shared.domain.run import RunError, RunStatus, Waiting
from shared.store.mongo import Mongo
from shared.store.run_documents import LOOK_AT_WAITING_AFTER, Admitted, Wait, waiting_document
from shared.store.run_ends import MOST_LOSSES
from shared.store.runs import RunStore
from tests.integration.store.given import LEASE_SECONDS, claimed, completing, expire_lease, queued, retrying, run_of
from tests.unit.shared.given import LATER, NOW

A_PLACE = waiting_document(Waiting.AGENT, NOW, key="slot_1", detail="noter of acme")


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


async def test_an_admission_lets_the_run_be_claimed_with_its_places_and_looked_at_again(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    await runs.write_fenced([retrying(await claimed(runs))])

    await runs.admit([Admitted("run_1", 1, ("slot_1", "slot_2"), is_express=True)], far_off())

    run = await run_of(mongo)
    assert (run["waiting_for"], run["slots"], run["express"]) == (None, ["slot_1", "slot_2"], True)
    assert await runs.due_for_sweep(LATER + timedelta(hours=1), 10) == []


@pytest.mark.parametrize("attempt", [0, 2])
async def test_an_admission_of_what_was_seen_in_another_attempt_changes_nothing(mongo: Mongo, attempt: int) -> None:
    runs = RunStore(mongo.database)
    await runs.write_fenced([retrying(await claimed(runs))])
    before = await run_of(mongo)

    await runs.admit([Admitted("run_1", attempt, (), is_express=False)], LATER)
    await runs.wait([Wait("run_1", attempt, (), A_PLACE)], LATER)

    assert await run_of(mongo) == before


async def test_an_admission_comes_too_late_for_a_run_that_is_running_or_has_ended(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    await claimed(runs, "run_running")
    await runs.write_fenced([completing(await claimed(runs, "run_ended"))])
    ids = ("run_running", "run_ended")
    before = [await run_of(mongo, run_id) for run_id in ids]

    await runs.admit([Admitted(run_id, 1, (), is_express=False) for run_id in ids], LATER)
    await runs.wait([Wait(run_id, 1, (), A_PLACE) for run_id in ids], LATER)
    await runs.admit([], LATER)

    assert [await run_of(mongo, run_id) for run_id in ids] == before


async def test_a_run_that_waits_for_the_same_again_has_waited_since_it_began(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    await queued(runs, "run_1", waiting_for=A_PLACE)
    other = waiting_document(Waiting.ORGANISATION, LATER, key="slot_2", detail="acme")

    since = []
    for waiting in (A_PLACE | {"since": LATER}, other):
        await runs.wait([Wait("run_1", 0, ("slot_1", "slot_2"), waiting)], LATER)
        since.append((await run_of(mongo))["waiting_for"]["since"])

    assert since == [NOW, LATER]
    assert (await run_of(mongo))["slots"] == ["slot_1", "slot_2"]


async def test_a_run_that_waits_for_a_place_is_looked_at_when_its_time_in_the_queue_is_over(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    for run_id, seconds in (("run_soon", 20), ("run_late", 99_999), ("run_never", None)):
        await queued(runs, run_id, waiting_for=A_PLACE, queue_timeout_seconds=seconds)

    await runs.wait([Wait(run_id, 0, (), A_PLACE) for run_id in ("run_soon", "run_late", "run_never")], LATER)

    looked_at = [(await run_of(mongo, f"run_{name}"))["sweep_at"] for name in ("soon", "late", "never")]
    assert looked_at == [NOW + timedelta(seconds=20), LATER + LOOK_AT_WAITING_AFTER, LATER + LOOK_AT_WAITING_AFTER]


async def test_a_run_that_waits_after_its_start_is_looked_at_when_its_time_as_a_whole_is_over(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    await queued(runs, "run_1", queue_timeout_seconds=1, run_timeout_seconds=20)
    await runs.write_fenced([retrying(await claimed(runs))])

    await runs.wait([Wait("run_1", 1, (), A_PLACE)], far_off())

    run = await run_of(mongo)
    assert run["sweep_at"] == run["started_at"] + timedelta(seconds=20)


async def test_of_those_that_wait_under_a_key_the_most_urgent_and_then_the_oldest_come_first(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    for number, lane in enumerate((Lane.LOW, Lane.HIGH, Lane.LOW, Lane.HIGH, Lane.CRITICAL)):
        moment = NOW - timedelta(seconds=number)
        await queued(runs, f"run_{number}", lane=lane, queued_at=moment, waiting_for=A_PLACE)
    await queued(runs, "run_other", waiting_for=A_PLACE | {"key": "slot_2"})

    urgent = await runs.waiting_under("slot_1", 4)
    guarded = await runs.waiting_under("slot_1", 4, least_urgent_first=True)

    assert [run["_id"] for run in urgent] == ["run_4", "run_3", "run_1", "run_2"]
    assert [run["_id"] for run in guarded] == ["run_2", "run_0"]
    whole = await runs.load(run["_id"] for run in urgent)
    assert [await runs.waiting_ahead(whole[run["_id"]], 10) for run in urgent] == [0, 1, 2, 3]
    assert sorted(await runs.keys_waited_under()) == ["slot_1", "slot_2"]


async def test_runs_that_are_dispatched_or_running_hold_their_places_and_no_others_do(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    await queued(runs, "run_dispatched", slots=("slot_1",))
    await queued(runs, "run_waiting", slots=("slot_1",), waiting_for=A_PLACE)
    await queued(runs, "run_waiting_for_long", slots=("slot_1",), queued_at=NOW, waiting_for=A_PLACE)
    await claimed(runs, "run_running")
    await runs.write_fenced([completing(await claimed(runs, "run_ended"))])

    assert {run["_id"]: run["slots"] for run in await runs.holding(datetime.now(UTC), 10)} == {
        "run_dispatched": ["slot_1"],
        "run_running": [],
    }


async def test_a_queued_run_that_has_had_its_time_fails_and_no_other(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    await queued(runs, "run_queued", waiting_for=A_PLACE)
    await claimed(runs, "run_running")
    error = RunError("queue_timed_out", "Too long.")

    await runs.fail_queued([("run_queued", error), ("run_running", error)], LATER)

    run = await run_of(mongo, "run_queued")
    assert (run["status"], run["finished_at"], run["waiting_for"]) == (RunStatus.FAILED, LATER, None)
    assert (run["error"]["code"], run["sweep_at"]) == ("queue_timed_out", LATER)
    assert (await run_of(mongo, "run_running"))["status"] == RunStatus.RUNNING


async def test_a_lost_run_returns_to_the_queue_and_is_a_loss_and_no_failure(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    await claimed(runs, lease_seconds=-1)

    (lost,) = await runs.take_over(["run_1"], LATER)

    run = await run_of(mongo)
    assert run == lost
    assert (run["status"], run["failures"], run["losses"], run["waiting_for"]) == (RunStatus.QUEUED, 0, 1, None)
    assert run["error"] == {"code": "runner_lost", "detail": "Runner runner-1 was lost in attempt 1."}
    assert not {"lease_expires_at", "claim", "owner", "finished_at"} & run.keys()
    assert [each["attempt"] for each in await runs.claim(["run_1"], "runner-2", LEASE_SECONDS)] == [2]


async def test_a_run_that_was_lost_too_often_fails(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)

    statuses = []
    for _ in range(MOST_LOSSES + 1):
        await claimed(runs, lease_seconds=-1)
        (lost,) = await runs.take_over(["run_1"], LATER)
        statuses.append(lost["status"])

    assert statuses == [RunStatus.QUEUED] * MOST_LOSSES + [RunStatus.FAILED]
    run = await run_of(mongo)
    assert (run["failures"], run["finished_at"], run["error"]["code"]) == (0, LATER, "runner_lost")
    assert len(await runs.due_for_sweep(LATER, 10)) == 1


async def test_all_runs_of_a_runner_that_is_gone_are_taken_over_whatever_their_leases(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    for run_id in ("run_1", "run_2"):
        await claimed(runs, run_id)
    await claimed(runs, "run_other", owner="runner-2")
    await runs.write_fenced([completing(await claimed(runs, "run_ended"))])

    lost = await runs.take_over_from("runner-1", LATER)

    assert {run["_id"] for run in lost} == {"run_1", "run_2"}
    assert (await run_of(mongo, "run_other"))["status"] == RunStatus.RUNNING
    assert await runs.take_over_from("runner-1", LATER) == []


@pytest.mark.parametrize("came", ["heartbeat", "take-over", "commit"])
async def test_a_run_is_not_lost_when_somebody_was_faster(mongo: Mongo, came: str) -> None:
    runs = RunStore(mongo.database)
    claim = await claimed(runs, lease_seconds=-1)
    match came:
        case "heartbeat":
            await runs.extend_leases([claim], "runner-1", LEASE_SECONDS)
        case "take-over":
            await runs.claim(["run_1"], "runner-2", LEASE_SECONDS)
        case _:
            await runs.write_fenced([completing(claim)])
    before = await run_of(mongo)

    assert await runs.take_over(["run_1"], LATER) == []
    assert await run_of(mongo) == before


async def test_of_take_overs_at_once_each_run_is_in_one(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    ids = [f"run_{number}" for number in range(20)]
    for run_id in ids:
        await claimed(runs, run_id, lease_seconds=-1)

    taken = await asyncio.gather(
        *(runs.take_over(ids, LATER) for _ in range(4)), runs.take_over_from("runner-1", LATER)
    )

    assert sorted(run["_id"] for lost in taken for run in lost) == sorted(ids)
    assert {(await run_of(mongo, run_id))["losses"] for run_id in ids} == {1}


async def test_a_runner_that_comes_back_too_late_finds_its_run_gone(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    claim = await claimed(runs)
    await expire_lease(mongo)
    await runs.take_over(["run_1"], LATER)

    assert await runs.extend_leases([claim], "runner-1", LEASE_SECONDS) == [claim]
    assert await runs.write_fenced([completing(claim)]) == [False]
    assert (await run_of(mongo))["status"] == RunStatus.QUEUED


async def test_when_the_queue_was_lost_every_dispatched_run_is_due_and_no_other(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    await queued(runs, "run_queued", queued_at=far_off())
    await claimed(runs, "run_running")
    waiting = await claimed(runs, "run_waiting")
    await runs.write_fenced([retrying(waiting, far_off())])
    now = datetime.now(UTC).replace(microsecond=0)

    await runs.sweep_dispatched_at(now)

    assert [run["_id"] for run in await runs.due_for_sweep(now, 10)] == ["run_queued"]


async def test_a_run_that_is_settled_is_not_looked_at_again(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    await runs.write_fenced([completing(await claimed(runs, run_id)) for run_id in ("run_1", "run_2")])
    await runs.settle(["run_1"])

    await runs.sweep_again_at([("run_1", NOW), ("run_2", NOW)])

    assert [run["_id"] for run in await runs.due_for_sweep(NOW, 10)] == ["run_2"]
