"""Failed runs are tried again, with everything before a new attempt that they had."""

from datetime import timedelta

import pytest

from shared.domain.run import RunStatus, Usage
from shared.store.mongo import Mongo
from shared.store.run_documents import Admitted, Commit, usage_document
from shared.store.runs import RunStore
from shared.store.steps import Intent, StepStore
from tests.integration.store.given import HUNG_UP, LEASE_SECONDS, USED, claimed, queued, run_of
from tests.unit.shared.given import LATER, NOW

SECOND = timedelta(seconds=1)


async def fail(runs: RunStore, id: str = "run_1") -> None:
    await runs.write_fenced([Commit(await claimed(runs, id), RunStatus.FAILED, NOW, USED, error=HUNG_UP)])


async def test_a_failed_run_is_queued_with_all_its_attempts_before_it(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    await queued(runs, "run_1", queue_timeout_seconds=1, run_timeout_seconds=1)
    await fail(runs)
    await mongo.database["runs"].update_one({"_id": "run_1"}, {"$set": {"failures": 3, "losses": 2}})

    (redriven,) = await runs.redrive(["run_1"], LATER)

    run = await run_of(mongo)
    assert run == redriven
    assert (run["status"], run["attempt"], run["failures"], run["losses"]) == (RunStatus.QUEUED, 1, 0, 0)
    assert (run["redriven"], run["usage"]) == (1, usage_document(USED))
    assert (run["queue_expires_at"], "started_at" in run, "finished_at" in run) == (None, False, False)
    assert [each["_id"] for each in await runs.due_for_sweep(LATER, 10)] == ["run_1"]


async def test_its_next_attempt_goes_on_counting_and_finds_the_steps(mongo: Mongo) -> None:
    runs, steps = RunStore(mongo.database), StepStore(mongo.database)
    claim = await claimed(runs)
    await steps.intend(Intent(claim, 0, "model_call", "deep", "hash", NOW))
    await runs.write_fenced([Commit(claim, RunStatus.FAILED, NOW, Usage(), error=HUNG_UP)])

    await runs.redrive(["run_1"], LATER)
    await runs.admit([Admitted("run_1", 1, (), is_express=False)], LATER)
    (again,) = await runs.claim(["run_1"], "runner-2", LEASE_SECONDS)

    assert (again["attempt"], len(await steps.of_run("run_1"))) == (2, 1)
    assert again["started_at"] == again["changed_at"]


@pytest.mark.parametrize("status", [RunStatus.COMPLETED, RunStatus.CANCELLED])
async def test_what_has_not_failed_is_not_tried_again(mongo: Mongo, status: RunStatus) -> None:
    runs = RunStore(mongo.database)
    await queued(runs, "run_queued")
    await claimed(runs, "run_running")
    await runs.write_fenced([Commit(await claimed(runs, "run_ended"), status, NOW, USED)])

    assert await runs.redrive(["run_queued", "run_running", "run_ended", "run_unknown"], LATER) == []


async def test_doing_it_twice_is_doing_it_once_until_it_fails_again(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    await fail(runs)

    counts = [len(await runs.redrive(["run_1"], LATER)) for _ in range(2)]
    await runs.admit([Admitted("run_1", 1, (), is_express=False)], LATER)
    await fail(runs)
    counts.append(len(await runs.redrive(["run_1"], LATER + SECOND)))

    assert counts == [1, 0, 1]
    assert (await run_of(mongo))["redriven"] == 2
