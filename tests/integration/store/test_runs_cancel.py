"""Cancelling in the store: what is queued ends at once, what is running when its runner has seen to it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from shared.domain.run import Claim, RunError, RunStatus, Usage, Waiting
from shared.store.mongo import Mongo
from shared.store.run_documents import Commit, Return, waiting_document
from shared.store.run_ends import Cancel, CancelResult
from shared.store.runs import RunStore
from tests.integration.store.given import (
    LEASE_SECONDS,
    USED,
    claimed,
    completing,
    expire_lease,
    queued,
    retrying,
    run_of,
)
from tests.unit.shared.given import LATER, NOW, Document

CANCEL = Cancel("olga", LATER, "Too dear")
NOBODY = CancelResult(0, (), ())
PAUSED = waiting_document(Waiting.PAUSED, NOW, key="slot_1", detail="paused at user")


async def cancel(runs: RunStore, query: Document | None = None, **changes: Any) -> CancelResult:
    return await runs.cancel(query or {"_id": "run_1"}, replace(CANCEL, **changes))


def cancelled(claim: Claim, **changes: Any) -> Commit:
    return Commit(claim, RunStatus.CANCELLED, LATER, USED, **changes)


@pytest.mark.parametrize("waiting", [None, PAUSED])
async def test_a_queued_run_ends_at_once(mongo: Mongo, waiting: Document | None) -> None:
    runs = RunStore(mongo.database)
    await queued(runs, "run_1", waiting_for=waiting)

    assert await cancel(runs) == CancelResult(1, (), ())

    run = await run_of(mongo)
    assert (run["status"], run["finished_at"], run["waiting_for"]) == (RunStatus.CANCELLED, LATER, None)
    assert run["cancel"] == {"requested_at": LATER, "requested_by": "olga", "reason": "Too dear"}
    assert run["error"] == {"code": "cancelled", "detail": "Cancelled by olga: Too dear."}
    assert len(await runs.due_for_sweep(LATER, 10)) == 1
    assert await runs.claim(["run_1"], "runner-1", LEASE_SECONDS) == []


async def test_a_run_that_waits_for_its_next_attempt_ends_at_once(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    await runs.write_fenced([retrying(await claimed(runs), error=RunError("internal", "The handler raised KeyError."))])

    assert (await cancel(runs)).cancelled == 1


async def test_a_run_whose_model_call_may_still_be_open_ends_when_a_runner_has_closed_it(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    await runs.write_fenced([retrying(await claimed(runs), error=RunError("model_timed_out", "No whole answer."))])

    result = await cancel(runs)

    assert (result.cancelled, [run["_id"] for run in result.requeued]) == (0, ["run_1"])
    assert len(await runs.claim(["run_1"], "runner-1", LEASE_SECONDS)) == 1


async def test_a_running_run_is_asked_to_end_and_its_claim_is_named(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    claim = await claimed(runs)
    lease = (await run_of(mongo))["sweep_at"]

    assert await cancel(runs) == CancelResult(0, (claim,), ())

    run = await run_of(mongo)
    assert (run["status"], run["cancel"]["requested_by"], run["sweep_at"]) == (RunStatus.RUNNING, "olga", lease)
    assert await runs.cancelling([claim, Claim("run_2", 1, "runner-1")]) == [claim]
    assert await runs.extend_leases([claim], "runner-1", LEASE_SECONDS) == []


async def test_a_reason_is_kept_to_the_letter(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    await claimed(runs)

    await cancel(runs, reason="$owner", requested_by="$$NOW")

    kept = (await run_of(mongo))["cancel"]
    assert (kept["reason"], kept["requested_by"]) == ("$owner", "$$NOW")


@pytest.mark.parametrize("left", ["handed back", "lost", "postponed"])
async def test_what_a_runner_left_behind_is_dispatched_so_that_another_sees_to_it(mongo: Mongo, left: str) -> None:
    runs = RunStore(mongo.database)
    claim = await claimed(runs)
    match left:
        case "handed back":
            await runs.write_fenced([Return(claim, NOW, Usage())])
        case "lost":
            await runs.take_over_from("runner-1", NOW)
        case _:
            await runs.write_fenced([Return(claim, NOW, Usage(), waiting_for=PAUSED)])

    result = await cancel(runs)

    assert (result.cancelled, result.cancelling, [run["_id"] for run in result.requeued]) == (0, (), ["run_1"])
    run = await run_of(mongo)
    assert (run["status"], run["waiting_for"], run["sweep_at"]) == (RunStatus.QUEUED, None, LATER)
    (taken,) = await runs.claim(["run_1"], "runner-2", LEASE_SECONDS)
    assert taken["cancel"]["requested_by"] == "olga"


@pytest.mark.parametrize("status", [RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED])
async def test_a_run_that_has_ended_stays_as_it_is(mongo: Mongo, status: RunStatus) -> None:
    runs = RunStore(mongo.database)
    await runs.write_fenced([Commit(await claimed(runs), status, NOW, USED)])
    before = await run_of(mongo)

    assert await cancel(runs) == NOBODY
    assert await run_of(mongo) == before


@pytest.mark.parametrize("is_running", [True, False])
async def test_cancelling_again_changes_nothing(mongo: Mongo, is_running: bool) -> None:
    runs = RunStore(mongo.database)
    await queued(runs, "run_1")
    if is_running:
        await claimed(runs)
    await cancel(runs)
    before = await run_of(mongo)

    assert await cancel(runs, requested_by="bob") == NOBODY
    assert await run_of(mongo) == before


async def test_a_run_that_is_to_end_can_only_be_cancelled(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    claim = await claimed(runs)
    await cancel(runs)
    others: list[Commit | Return] = [
        completing(claim),
        Commit(claim, RunStatus.FAILED, LATER, USED, error=RunError("x", "x")),
        Return(claim, LATER, USED),
        retrying(claim),
    ]
    before = await run_of(mongo)

    assert [await runs.write_fenced([write]) for write in others] == [[False]] * 4
    assert await run_of(mongo) == before
    assert await runs.write_fenced([cancelled(claim, spent_after_cancel=Usage(1, 2, 1))]) == [True]
    run = await run_of(mongo)
    assert (run["status"], run["spent_after_cancel"]["output_tokens"]) == (RunStatus.CANCELLED, 2)


async def test_an_end_that_is_only_for_who_is_wanted_to_end_leaves_the_others_alone(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    wanted, other = await claimed(runs, "run_1"), await claimed(runs, "run_2")
    await cancel(runs)

    written = await runs.write_fenced([cancelled(claim, only_if_wanted=True) for claim in (wanted, other)])

    assert written == [True, False]
    assert (await run_of(mongo, "run_2"))["status"] == RunStatus.RUNNING


async def test_a_run_that_is_refused_needs_nobody_to_want_it(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)

    assert await runs.write_fenced([cancelled(await claimed(runs))]) == [True]


async def test_only_what_the_query_names_is_cancelled(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    await queued(runs, "run_ada", user="ada")
    await queued(runs, "run_bob", user="bob")
    await claimed(runs, "run_running")

    result = await cancel(runs, {"organisation": "acme", "user": "ada", "status": {"$in": ["queued"]}})

    assert (result.cancelled, result.cancelling) == (1, ())
    assert [(await run_of(mongo, f"run_{name}"))["status"] for name in ("ada", "bob", "running")] == [
        "cancelled",
        "queued",
        "running",
    ]


async def test_a_run_that_expired_while_it_is_to_end_does_not_fail(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    await claimed(runs)
    await runs.take_over_from("runner-1", NOW)
    await cancel(runs)

    await runs.fail_queued([("run_1", RunError("run_timed_out", "Too long."))], LATER)

    assert (await run_of(mongo))["status"] == RunStatus.QUEUED


@pytest.mark.parametrize("rival", ["claim", "commit", "return", "take-over", "cancel"])
async def test_whatever_happens_at_once_a_run_is_never_left_uncancelled_and_open(mongo: Mongo, rival: str) -> None:
    runs = RunStore(mongo.database)
    ids = [f"run_{number}" for number in range(20)]
    await queued(runs, *ids)
    held = [] if rival == "claim" else [await claimed(runs, run_id) for run_id in ids]
    if rival == "take-over":
        for run_id in ids:
            await expire_lease(mongo, run_id)
    rivals: dict[str, Callable[[], Awaitable[object]]] = {
        "claim": lambda: runs.claim(ids, "runner-1", LEASE_SECONDS),
        "commit": lambda: runs.write_fenced([completing(claim) for claim in held]),
        "return": lambda: runs.write_fenced([Return(claim, NOW, USED) for claim in held]),
        "take-over": lambda: runs.take_over(ids, NOW),
        "cancel": lambda: cancel(runs, {"_id": {"$in": ids}}, requested_by="bob"),
    }

    result, _ = await asyncio.gather(cancel(runs, {"_id": {"$in": ids}}), rivals[rival]())

    stored = list((await runs.load(ids)).values())
    assert not [run for run in stored if run["cancel"] is None and run["status"] != RunStatus.COMPLETED]
    if rival != "cancel":
        assert result.cancelled == sum(run["status"] == RunStatus.CANCELLED for run in stored)
        asked = {claim.run_id for claim in result.cancelling} | {run["_id"] for run in result.requeued}
        assert asked == {run["_id"] for run in stored if run["status"] in (RunStatus.RUNNING, RunStatus.QUEUED)}
