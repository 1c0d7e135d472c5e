"""Runs of the version before go on, and those of one to come are left to it."""

import pytest

from shared.domain.run import Claim, RunStatus, Usage, Waiting
from shared.store.mongo import Mongo
from shared.store.run_documents import Admitted, Return, waiting_document
from shared.store.run_ends import Cancel
from shared.store.runs import RunStore
from shared.store.upcast import RUN_SCHEMA
from tests.integration.store.given import LEASE_SECONDS, completing, expire_lease, queued, run_of
from tests.unit.shared.given import LATER, NOW, Document
from tests.unit.shared.recorded import RECORDED_RUNS


def claim_of(run: Document) -> Claim:
    return Claim(run["_id"], run["attempt"], run["owner"])


async def record(mongo: Mongo, name: str) -> RunStore:
    await mongo.database["runs"].insert_one(dict(RECORDED_RUNS[name]))
    return RunStore(mongo.database)


@pytest.mark.parametrize("name", ["queued", "running", "retrying"])
async def test_an_open_run_of_the_version_before_is_claimed_and_ends(mongo: Mongo, name: str) -> None:
    runs = await record(mongo, name)
    recorded = RECORDED_RUNS[name]
    if name == "running":
        await expire_lease(mongo)
    await runs.admit([Admitted("run_1", recorded["attempt"], ("slot_1",), is_express=False)], LATER)

    (run,) = await runs.claim(["run_1"], "runner-1", LEASE_SECONDS)

    assert (run["attempt"], run["losses"], run["cancel"]) == (recorded["attempt"] + 1, 0, None)
    assert await runs.write_fenced([completing(claim_of(run))]) == [True]
    assert (await run_of(mongo))["status"] == RunStatus.COMPLETED


async def test_a_run_of_the_version_before_returns_is_lost_cancelled_and_read(mongo: Mongo) -> None:
    runs = await record(mongo, "queued")
    (run,) = await runs.claim(["run_1"], "runner-1", LEASE_SECONDS)
    waiting = waiting_document(Waiting.PROVIDER, LATER, until=LATER)

    assert await runs.write_fenced([Return(claim_of(run), NOW, Usage(), waiting_for=waiting)]) == [True]
    (due,) = await runs.due_for_sweep(LATER, 10)
    await runs.admit([Admitted("run_1", due["attempt"], (), is_express=False)], LATER)
    await runs.claim(["run_1"], "runner-1", LEASE_SECONDS)
    (lost,) = await runs.take_over_from("runner-1", LATER)
    result = await runs.cancel({"_id": "run_1"}, Cancel("olga", LATER))

    assert (lost["losses"], [each["_id"] for each in result.requeued]) == (1, ["run_1"])
    (shown,) = await runs.find({"organisation": "acme"}, 10)
    assert (shown["rank"], shown["cancel"]["requested_by"]) == (2, "olga")


@pytest.mark.parametrize("ids", [["run_1"], ["run_1", "run_2"]])
async def test_a_run_of_a_version_to_come_is_left_to_it_whole(mongo: Mongo, ids: list[str]) -> None:
    runs = RunStore(mongo.database)
    await queued(runs, *ids)
    later = {"schema": RUN_SCHEMA + 1, "news": {"of": "a later version"}}
    await mongo.database["runs"].update_one({"_id": "run_1"}, {"$set": later})
    before = await run_of(mongo)

    taken = await runs.claim(ids, "runner-1", LEASE_SECONDS)

    assert [run["_id"] for run in taken] == ids[1:]
    assert await run_of(mongo) == before
    assert (await runs.load(["run_1"]))["run_1"]["news"] == {"of": "a later version"}
