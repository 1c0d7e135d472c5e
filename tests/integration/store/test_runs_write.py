"""Fenced writes: only the claim that stands can end a run, and repeating an end changes nothing."""

import asyncio
from datetime import timedelta

import orjson
import pytest

from shared.domain.run import Claim, RunError, RunStatus, Waiting
from shared.store.mongo import Mongo
from shared.store.run_documents import LOOK_AT_WAITING_AFTER, Commit, Return, waiting_document
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
from tests.unit.shared.given import LATER, Document, a_memory_effect

ERROR = RunError("model_unavailable", "It hung up.")


async def test_a_commit_sets_everything_that_came_of_the_run(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    claim = await claimed(runs)

    assert await runs.write_fenced([completing(claim, effects=(a_memory_effect(),))]) == [True]

    run = await run_of(mongo)
    assert (run["status"], run["finished_at"], run["changed_at"]) == (RunStatus.COMPLETED, LATER, LATER)
    assert orjson.loads(run["output_json"]) == {"summary": "well"}
    assert run["effects"] == [a_memory_effect()]
    assert run["usage"] == {"input_tokens": 12, "output_tokens": 7, "model_calls": 1}
    assert (run["error"], run["attempt"], run["owner"]) == (None, 1, "runner-1")
    assert run["sweep_at"] > LATER
    assert not {"lease_expires_at", "claim"} & run.keys()


@pytest.mark.parametrize("status", [RunStatus.FAILED, RunStatus.CANCELLED])
async def test_an_end_without_output_keeps_its_error(mongo: Mongo, status: RunStatus) -> None:
    runs = RunStore(mongo.database)

    await runs.write_fenced([Commit(await claimed(runs), status, LATER, USED, error=ERROR)])

    run = await run_of(mongo)
    assert (run["status"], run["output_json"]) == (status, None)
    assert run["error"] == {"code": "model_unavailable", "detail": "It hung up."}


@pytest.mark.parametrize("text", ["$owner", "$$NOW", "$$ROOT.owner", '{"$set": 1}', "a.b", "\u2028\x00"])
async def test_what_an_agent_says_is_kept_to_the_letter(mongo: Mongo, text: str) -> None:
    runs = RunStore(mongo.database)
    odd: Document = {"$set": {"a.b": text, "": None}, "list": [text, {"$literal": text}]}
    effect = a_memory_effect(proposed_value=text) | {"reasoning": text, "odd": odd}
    commit = Commit(
        await claimed(runs),
        RunStatus.FAILED,
        LATER,
        USED,
        output_json=orjson.dumps(text).decode(),
        effects=(effect,),
        error=RunError("x", text),
    )

    assert await runs.write_fenced([commit]) == [True]

    run = await run_of(mongo)
    assert orjson.loads(run["output_json"]) == text
    assert (run["effects"], run["error"]) == ([effect], {"code": "x", "detail": text})
    assert run["owner"] == "runner-1"


async def test_a_return_puts_the_run_back_into_the_queue(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    due = LATER + timedelta(seconds=9)

    assert await runs.write_fenced([retrying(await claimed(runs), due)]) == [True]

    run = await run_of(mongo)
    assert (run["status"], run["failures"], run["attempt"]) == (RunStatus.QUEUED, 1, 1)
    assert run["waiting_for"] == waiting_document(Waiting.RETRY, LATER, until=due, detail="model_unavailable")
    assert run["sweep_at"] == due
    assert not {"lease_expires_at", "claim", "owner"} & run.keys()


async def test_handing_back_is_no_failure_and_leaves_nothing_to_wait_for(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)

    await runs.write_fenced([Return(await claimed(runs), LATER, USED)])

    run = await run_of(mongo)
    assert (run["failures"], run["waiting_for"], run["error"]) == (0, None, None)
    assert [each["attempt"] for each in await runs.claim(["run_1"], "runner-2", LEASE_SECONDS)] == [2]


async def test_a_stale_attempt_writes_nothing(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    stale = await claimed(runs, lease_seconds=-1)
    current = await claimed(runs, owner="runner-2")
    before = await run_of(mongo)

    assert await runs.write_fenced([completing(stale)]) == [False]
    assert await runs.write_fenced([Return(stale, LATER, USED, ERROR)]) == [False]
    assert await run_of(mongo) == before
    assert await runs.write_fenced([completing(current)]) == [True]


async def test_the_right_attempt_of_another_owner_writes_nothing(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    claim = await claimed(runs)

    assert await runs.write_fenced([completing(Claim(claim.run_id, claim.attempt, "runner-2"))]) == [False]
    assert (await run_of(mongo))["status"] == RunStatus.RUNNING


async def test_a_terminal_run_never_changes(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    claim = await claimed(runs)
    await runs.write_fenced([completing(claim)])
    before = await run_of(mongo)

    later: list[Commit | Return] = [
        Commit(claim, RunStatus.FAILED, LATER + timedelta(hours=1), USED, error=ERROR),
        Return(claim, LATER, USED, ERROR),
    ]

    assert [await runs.write_fenced([write]) for write in later] == [[False], [False]]
    assert await run_of(mongo) == before


async def test_repeating_an_end_is_done_as_well(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    commit, returned = (
        completing(await claimed(runs, "run_1")),
        Return(await claimed(runs, "run_2"), LATER, USED, ERROR),
    )

    first = await runs.write_fenced([commit, returned])
    before = [await run_of(mongo, run_id) for run_id in ("run_1", "run_2")]
    again = await runs.write_fenced([commit, returned])

    assert first == again == [True, True]
    assert [await run_of(mongo, run_id) for run_id in ("run_1", "run_2")] == before


async def test_in_one_batch_each_write_stands_for_itself(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    await queued(runs, "run_queued")
    good, stale, returned = [
        await claimed(runs, "run_good"),
        await claimed(runs, "run_stale", lease_seconds=-1),
        await claimed(runs, "run_returned", owner="runner-7"),
    ]
    await runs.claim(["run_stale"], "runner-2", LEASE_SECONDS)

    written = await runs.write_fenced(
        [
            completing(good),
            completing(stale),
            completing(Claim("run_unknown", 1, "runner-1")),
            completing(Claim("run_queued", 0, "runner-1")),
            Return(returned, LATER, USED),
        ]
    )

    assert written == [True, False, False, False, True]
    statuses = [(await run_of(mongo, f"run_{name}"))["status"] for name in ("good", "stale", "queued", "returned")]
    assert statuses == ["completed", "running", "queued", "queued"]


async def test_many_ends_with_effects_are_written_each_to_its_own_run(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    ids = [f"run_{number}" for number in range(120)]
    await queued(runs, *ids)
    won = await runs.claim(ids, "runner-1", LEASE_SECONDS)
    bulky = "x" * 100_000
    commits = [
        completing(
            Claim(run["_id"], run["attempt"], "runner-1"), effects=(a_memory_effect(proposed_value=run["_id"] + bulky),)
        )
        for run in won
    ]

    assert await runs.write_fenced(commits) == [True] * len(ids)

    loaded = await runs.load(ids)
    assert all(loaded[run_id]["effects"][0]["change"]["proposed_value"] == run_id + bulky for run_id in ids)


async def test_of_an_end_and_a_take_over_at_once_one_wins(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    for number in range(10):
        claim = await claimed(runs, f"run_{number}")
        await expire_lease(mongo, claim.run_id)

        (is_written,), taken = await asyncio.gather(
            runs.write_fenced([completing(claim)]), runs.claim([claim.run_id], "runner-2", LEASE_SECONDS)
        )

        run = await run_of(mongo, claim.run_id)
        assert is_written == (not taken)
        assert (run["status"], run["attempt"]) == (("completed", 1) if is_written else ("running", 2))


async def test_returning_to_wait_without_an_error_is_no_failure(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    due = LATER + timedelta(seconds=9)
    waiting = waiting_document(Waiting.PROVIDER, LATER, until=due, detail="No room.")

    await runs.write_fenced([Return(await claimed(runs), LATER, USED, waiting_for=waiting)])

    run = await run_of(mongo)
    assert (run["failures"], run["error"], run["waiting_for"], run["sweep_at"]) == (0, None, waiting, due)


async def test_a_run_that_waits_for_no_time_is_looked_at_all_the_same(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    waiting = waiting_document(Waiting.PAUSED, LATER, key="slot_1", detail="paused at user")

    await runs.write_fenced([Return(await claimed(runs), LATER, USED, waiting_for=waiting)])

    assert (await run_of(mongo))["sweep_at"] == LATER + LOOK_AT_WAITING_AFTER
